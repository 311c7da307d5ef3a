"""The same station with OCPP 2.0.1: what it says and what it is asked, in the words of that version."""
