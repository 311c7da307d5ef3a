"""OBANK's gateway, its card operations, its pages for the payer and its certificates."""
