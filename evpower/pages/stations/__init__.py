"""`/stations/{id}`: a station's state, its tabs, its frames as they pass, and what is asked of it
(contract/operator-pages §4)."""
