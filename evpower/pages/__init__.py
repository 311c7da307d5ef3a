"""The operators' pages: HTML for the people who run the network, on a listener of their own (contract/operator-pages).

Decides how things look and read, in three languages; what is shown and done is other rooms'. Every page reads and every
form works without JavaScript.
"""
