"""The rows of staff: people, locations given to them, second factors."""
