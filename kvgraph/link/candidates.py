"""Which names are compared at all, and how much of them agrees: SQL that DuckDB and Spark read alike.

Two names are candidates when they share a telling word in one country, or any word in one place; of these, the ones that have most in common, the place
counting as a word. Each word that is asked for stands there with others that may be there in its place (``slot`` numbers the words), which agree for what a word weighs less
what it costs that it is another.
"""

MOST = 50  # candidates of a name that is asked for
PLACE = 300  # what the same place weighs beside the words in common, when candidates are chosen

_NO_CONFLICT = "(l.country = r.country OR l.country IS NULL OR r.country IS NULL)"

CANDIDATES = f"""
WITH shared AS (
  SELECT l.row AS left_row, r.row AS right_row, r.weight - l.cost AS weight FROM asked_words l JOIN known_words r ON l.word = r.word WHERE l.rare AND {_NO_CONFLICT}
  UNION ALL
  SELECT l.row, r.row, r.weight - l.cost FROM asked_words l JOIN known_words r ON l.word = r.word AND l.place = r.place WHERE NOT l.rare AND {_NO_CONFLICT}
), agreeing AS (
  SELECT left_row, right_row, sum(weight) AS weight FROM shared GROUP BY left_row, right_row
), ranked AS (
  SELECT left_row, right_row,
    row_number() OVER (PARTITION BY left_row ORDER BY
      cast(weight + CASE WHEN l.place = r.place THEN {PLACE} ELSE 0 END AS double) / (l.total + r.total) DESC, right_row) AS place_in_order
  FROM agreeing JOIN asked l ON l.row = left_row JOIN known r ON r.row = right_row
)
SELECT left_row, right_row FROM ranked WHERE place_in_order <= {MOST}
"""

# Shares are in thousandths. Words with "=" are acronyms, those with "@" homepages. A name asked for may have that of the whole in it, which the entry of a part
# does not repeat: words that only what it is a part of has are lent to it.
PAIRS = """
WITH slots AS (
  SELECT left_row, right_row, l.slot,
    max(CASE WHEN l.word LIKE '=%' OR l.word LIKE '@%' THEN 0 ELSE r.weight - l.cost END) AS weight,
    max(CASE WHEN l.word LIKE '=%' THEN length(l.word) - 1 ELSE 0 END) AS initials
  FROM candidates JOIN asked_words l ON l.row = left_row JOIN known_words r ON r.row = right_row AND r.word = l.word
  GROUP BY left_row, right_row, l.slot
), agreeing AS (
  SELECT left_row, right_row, sum(weight) AS weight, max(initials) AS initials FROM slots GROUP BY left_row, right_row
), of_parents AS (
  SELECT left_row, right_row, l.slot, max(r.weight - l.cost) AS weight
  FROM candidates JOIN known_parents p ON p.row = right_row JOIN asked_words l ON l.row = left_row JOIN known_words r ON r.row = p.parent AND r.word = l.word
  WHERE l.word NOT LIKE '=%' AND l.word NOT LIKE '@%'
  GROUP BY left_row, right_row, l.slot
), lent AS (
  SELECT o.left_row, o.right_row, sum(o.weight) AS weight
  FROM of_parents o LEFT JOIN slots own ON own.left_row = o.left_row AND own.right_row = o.right_row AND own.slot = o.slot
  WHERE own.slot IS NULL GROUP BY o.left_row, o.right_row
)
SELECT agreeing.left_row * 100000000 + agreeing.right_row AS row, agreeing.right_row, l.record, l.text, l.key,
  CASE WHEN l.form = 'short' OR r.form = 'short' THEN 'short' ELSE r.form END AS form,
  cast(least(1000, round(1000 * cast(agreeing.weight + coalesce(lent.weight, 0) AS double) / l.total)) AS bigint) AS asked,
  cast(least(1000, round(1000 * cast(agreeing.weight AS double) / r.total)) AS bigint) AS found,
  cast(agreeing.weight AS bigint) AS telling,
  cast(round(1000 * cast(lent.weight AS double) / l.total) AS bigint) AS lent,
  CASE WHEN l.form = 'name' AND l.acronyms AND r.acronyms THEN cast(initials AS bigint) END AS initials,
  l.country, l.place, cast(NULL AS bigint) AS crowd, l.page, cast(NULL AS bigint) AS sites, l.domain, l.kind, cast(NULL AS bigint) AS peers
FROM agreeing JOIN asked l ON l.row = agreeing.left_row JOIN known r ON r.row = agreeing.right_row
  LEFT JOIN lent ON lent.left_row = agreeing.left_row AND lent.right_row = agreeing.right_row
"""

KNOWN = """
SELECT row, cast(NULL AS bigint) AS right_row, record, text, key, form, cast(NULL AS bigint) AS asked, cast(NULL AS bigint) AS found,
  cast(NULL AS bigint) AS telling, cast(NULL AS bigint) AS lent, cast(NULL AS bigint) AS initials, country, place, crowd, page, sites, domain, kind, peers
FROM known WHERE row IN (SELECT right_row FROM pairs)
"""

# As Splink wants pairs that it has not made itself.
BLOCKED = "SELECT '0' AS match_key, concat('asked-__-', row) AS join_key_l, concat('known-__-', right_row) AS join_key_r FROM pairs"

BEST = """
WITH rounded AS (SELECT *, round(match_weight, 6) AS weight FROM {predictions}),
best AS (SELECT *, row_number() OVER (PARTITION BY record_l, record_r ORDER BY weight DESC, row_l, row_r) AS nth FROM rounded),
ranked AS (SELECT *, row_number() OVER (PARTITION BY record_l ORDER BY weight DESC, record_r) AS place_in_order FROM best WHERE nth = 1)
SELECT {columns} FROM ranked WHERE place_in_order <= {most} ORDER BY record_l, place_in_order
"""
