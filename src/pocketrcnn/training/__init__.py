"""How a network learns, and the folder that it leaves."""
