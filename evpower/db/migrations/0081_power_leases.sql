-- How long a grant's lease is at its station; of one in a start it begins with the charge.
ALTER TABLE evpower.power_grants ADD COLUMN lease_s int NOT NULL DEFAULT 300 CHECK (lease_s > 0);
CREATE SEQUENCE evpower.power_grant_numbers;
