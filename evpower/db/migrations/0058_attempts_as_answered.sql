-- What the driver read when a start was refused, and the cause behind the code; a card's attempt has neither.
ALTER TABLE evpower.start_attempts ADD COLUMN sentence text, ADD COLUMN reason text;
