-- no-transaction
-- A list of the documents that have a tag.
CREATE INDEX CONCURRENTLY IF NOT EXISTS document_metadata_tags ON document_metadata USING gin (tags)
    WHERE tags <> '{}';
