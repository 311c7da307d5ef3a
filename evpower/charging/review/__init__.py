"""What of charges a person looks at: parked reports, doubtful figures, energy given away."""
