SELECT line FROM (
    SELECT concat_ws(' ', 'table', relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity,
                     relhasrules, relhassubclass) AS line
    FROM pg_class WHERE relnamespace = 'vouchsafe'::regnamespace AND relkind NOT IN ('i', 'S', 'c')
    UNION ALL
    SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull,
                     'identity=' || attidentity::text, 'generated=' || attgenerated::text, collname,
                     pg_get_expr(adbin, adrelid))
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE relnamespace = 'vouchsafe'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT concat_ws(' ', 'constraint', relname, conname, convalidated, pg_get_constraintdef(pg_constraint.oid))
    FROM pg_class JOIN pg_constraint ON conrelid = pg_class.oid
    WHERE relnamespace = 'vouchsafe'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT concat_ws(' ', 'index', indisvalid, indisready, pg_get_indexdef(indexrelid))
    FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
    WHERE relnamespace = 'vouchsafe'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'policy', relname, polname, polcmd, polpermissive, polroles::text,
                     pg_get_expr(polqual, polrelid), '|', pg_get_expr(polwithcheck, polrelid))
    FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
    WHERE relnamespace = 'vouchsafe'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'trigger', relname, CASE WHEN tgisinternal THEN '' ELSE tgname END, tgenabled)
    FROM pg_class JOIN pg_trigger ON tgrelid = pg_class.oid
    WHERE relnamespace = 'vouchsafe'::regnamespace AND (NOT tgisinternal OR tgenabled <> 'O')
    UNION ALL
    SELECT concat_ws(' ', 'function', proname) FROM pg_proc WHERE pronamespace = 'vouchsafe'::regnamespace
) AS inspected ORDER BY line COLLATE "C"
