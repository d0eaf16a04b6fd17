-- One row a view, for the days that spec.workloads.pageViews.retentionDays names. The visitor is 16 bytes of
-- an HMAC with the salt of the day: no address, no user agent. No path means that content was read.
CREATE TABLE page_views (
    day         date NOT NULL,
    path        text,
    document_id bigint,
    referrer    text,
    visitor     bytea NOT NULL
);
CREATE INDEX page_views_day ON page_views (day);

-- The ids of views, for as long as they could be sent again.
CREATE TABLE page_view_ids (
    id   uuid PRIMARY KEY,
    seen timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX page_view_ids_seen ON page_view_ids (seen);

-- What makes the visitors of a day; it is gone two days after the day began.
CREATE TABLE page_view_salts (
    day  date PRIMARY KEY,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32)
);

-- What was not counted, and why.
CREATE TABLE page_view_rejects (
    day     date NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('duplicate', 'bot', 'preview', 'refused')),
    views   bigint NOT NULL,
    PRIMARY KEY (day, outcome)
);

-- The days that are counted; a final one is never counted again, so its views may go.
CREATE TABLE page_view_days (
    day      date PRIMARY KEY,
    is_final boolean NOT NULL
);

-- A day's views and visitors: of the whole day, and by each thing that a report is made by. No value stands for
-- all values that are not among the thousand with the most views.
CREATE TABLE page_view_counts (
    dimension text NOT NULL CHECK (dimension IN ('day', 'path', 'document', 'referrer')),
    day       date NOT NULL,
    value     text,
    views     bigint NOT NULL,
    visitors  bigint NOT NULL
);
CREATE INDEX page_view_counts_day ON page_view_counts (dimension, day);
