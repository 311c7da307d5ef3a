-- What staff with a daily limit moved by a decision of theirs (contract/roadmap/identity §3): the rows the limit is
-- counted from. A decision that was refused leaves none.
CREATE TABLE evpower.staff_money (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      text NOT NULL REFERENCES public.users,
    decided_at   timestamptz NOT NULL,
    amount_tyiyn bigint NOT NULL CHECK (amount_tyiyn > 0)
);
CREATE INDEX staff_money_of ON evpower.staff_money (user_id, decided_at);
