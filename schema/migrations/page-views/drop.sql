DROP TABLE IF EXISTS page_view_counts, page_view_days, page_view_rejects, page_view_salts, page_view_ids, page_views;
