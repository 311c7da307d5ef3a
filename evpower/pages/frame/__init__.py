"""What every page stands in: who looks, templates filled in, figures in words, forms, and what browsers load."""
