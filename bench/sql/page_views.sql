-- 12 million views in 90 days and today, of 1,200 paths, 200 documents, 300 referrers and some 40,000 visitors a day;
-- counted as maintenance counts. Variables: days, a_day.
INSERT INTO page_views (day, path, document_id, referrer, visitor)
SELECT (now() AT TIME ZONE 'UTC')::date - ago,
  '/page/' || floor(1200 * power(random(), 2)),
  CASE WHEN random() < 0.3 THEN 1 + floor(200 * random()) END,
  CASE WHEN random() < 0.5 THEN 'host' || floor(300 * power(random(), 2)) || '.example' END,
  substring(sha256(int4send(floor(40000 * random())::int) || int4send(ago)) FOR 16)
FROM generate_series(0, :days - 1) AS ago, generate_series(1, :a_day);
ANALYZE page_views;
INSERT INTO page_view_days SELECT DISTINCT day, true FROM page_views WHERE day < (now() AT TIME ZONE 'UTC')::date;
INSERT INTO page_view_counts (dimension, day, views, visitors)
SELECT 'day', day, count(*), count(DISTINCT visitor) FROM page_views JOIN page_view_days USING (day) GROUP BY day;
INSERT INTO page_view_counts (dimension, day, value, views, visitors)
WITH each AS (
  SELECT day, path AS value, visitor, count(*) AS views FROM page_views JOIN page_view_days USING (day) GROUP BY 1, 2, 3
), ranked AS (
  SELECT day, value, row_number() OVER (PARTITION BY day ORDER BY sum(views) DESC, value) AS rank FROM each GROUP BY 1, 2
) SELECT 'path', day, CASE WHEN rank <= 1000 THEN value END AS kept, sum(views), count(DISTINCT visitor)
FROM each JOIN ranked USING (day, value) GROUP BY day, kept;
ANALYZE page_view_counts;
