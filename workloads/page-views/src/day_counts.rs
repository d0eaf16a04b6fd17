//! How Postgres counts a day from its views: `views` and `visitors` of the whole day, and of each value.

/// The day `$1` as a whole; no row if it has no views.
macro_rules! whole_day {
    () => {
        "SELECT sum(views)::bigint AS views, count(*) AS visitors FROM (\
           SELECT count(*) AS views FROM page_views WHERE day = $1 GROUP BY visitor\
         ) AS each HAVING count(*) > 0"
    };
}

/// The thousand values of the day `$1` with the most views, and the sum of the others, which have none: whoever
/// sends may send any.
macro_rules! each_value {
    ($value:literal) => {
        concat!(
            "WITH each AS (\
               SELECT ",
            $value,
            " AS value, visitor, count(*) AS views FROM page_views \
               WHERE day = $1 AND ",
            $value,
            " IS NOT NULL GROUP BY 1, 2\
             ), ranked AS (\
               SELECT value, row_number() OVER (ORDER BY sum(views) DESC, value) AS rank \
               FROM each GROUP BY value\
             ) SELECT CASE WHEN rank <= 1000 THEN value END AS kept, sum(views)::bigint AS views, \
               count(DISTINCT visitor) AS visitors \
             FROM each JOIN ranked USING (value) GROUP BY kept"
        )
    };
}

pub(crate) use {each_value, whole_day};
