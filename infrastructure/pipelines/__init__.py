"""How a commit of a branch becomes what a stage serves."""
