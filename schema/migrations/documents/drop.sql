DROP TABLE IF EXISTS unnamed_content, document_text, document_versions, document_metadata;
DELETE FROM usage WHERE counter IN ('documents', 'bytes');
