-- Whom somebody calls about a location whose stations do not answer, and who gives its stations their line
-- (operator-pages §3.1, call sheet). Not in `public`: what an app reads there is everybody's.
CREATE TABLE evpower.site_contacts (
    location_id  text PRIMARY KEY REFERENCES public.locations (id),
    person       text CHECK (length(person) BETWEEN 1 AND 500),
    phone        text CHECK (length(phone) BETWEEN 1 AND 500),
    hours        text CHECK (length(hours) BETWEEN 1 AND 500),
    sim_provider text CHECK (length(sim_provider) BETWEEN 1 AND 500),
    sim_number   text CHECK (length(sim_number) BETWEEN 1 AND 500),
    note         text CHECK (length(note) BETWEEN 1 AND 500),
    changed_at   timestamptz NOT NULL,
    changed_by   text NOT NULL
);
