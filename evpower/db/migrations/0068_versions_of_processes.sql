-- Which version each process runs: during an upgrade there are two.
ALTER TABLE evpower.processes ADD COLUMN version text;
