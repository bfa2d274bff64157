-- Every question that the server understands, word for word; ? stands for a literal.

-- name: settings
SET XACT_ABORT ON
-- name: lock timeout
SET LOCK_TIMEOUT 5000

-- name: sees all
SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION')

-- name: login by ?
SELECT CONVERT(nvarchar(172), l.sid, 1), l.name, l.default_database_name, l.default_language_name,
  CAST(l.is_disabled AS int), CAST(l.is_policy_checked AS int), CAST(l.is_expiration_checked AS int),
  (SELECT COUNT(*) FROM sys.server_permissions AS p
    WHERE p.grantee_principal_id = l.principal_id AND p.permission_name = 'CONNECT SQL' AND p.state = 'D'),
  CAST(SUBSTRING(HASHBYTES('SHA2_256', l.password_hash), 1, 7) AS bigint),
  DATEDIFF_BIG(millisecond, '19700101', DATEADD(minute, z.west,
    CAST(LOGINPROPERTY(l.name, 'PasswordLastSetTime') AS datetime))),
  CAST(LOGINPROPERTY(l.name, 'BadPasswordCount') AS int),
  DATEDIFF_BIG(millisecond, '19700101', DATEADD(minute, z.west,
    CAST(LOGINPROPERTY(l.name, 'BadPasswordTime') AS datetime))),
  CAST(LOGINPROPERTY(l.name, 'IsLocked') AS int),
  (SELECT TOP (1) DATEDIFF_BIG(microsecond, '19700101', SYSUTCDATETIME()) FROM sys.dm_exec_sessions AS s
    WHERE s.original_security_id = l.sid)
FROM sys.sql_logins AS l CROSS JOIN (SELECT -DATEPART(tzoffset, SYSDATETIMEOFFSET()) AS west) AS z
WHERE l.? = ?

-- name: server roles
SELECT CONVERT(nvarchar(172), l.sid, 1), r.name FROM sys.server_role_members AS m
JOIN sys.sql_logins AS l ON l.principal_id = m.member_principal_id
JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id

-- name: server permissions
SELECT CONVERT(nvarchar(172), l.sid, 1), p.state_desc, p.permission_name,
  COALESCE(s.type_desc, CASE p.class WHEN 108 THEN N'AVAILABILITY_GROUP' ELSE p.class_desc END),
  COALESCE(s.name, e.name, g.name), CAST(NULL AS nvarchar(128)), CAST(NULL AS nvarchar(128))
FROM sys.server_permissions AS p
JOIN sys.sql_logins AS l ON l.principal_id = p.grantee_principal_id
LEFT JOIN sys.server_principals AS s ON p.class = 101 AND s.principal_id = p.major_id
LEFT JOIN sys.endpoints AS e ON p.class = 105 AND e.endpoint_id = p.major_id
LEFT JOIN (sys.availability_replicas AS a JOIN sys.availability_groups AS g ON g.group_id = a.group_id)
  ON p.class = 108 AND a.replica_metadata_id = p.major_id

-- name: owned databases
SELECT CONVERT(nvarchar(172), l.sid, 1), d.name FROM sys.databases AS d
JOIN sys.sql_logins AS l ON l.sid = d.owner_sid

-- name: databases
SELECT name, HAS_DBACCESS(name) FROM sys.databases WHERE state = 0

-- name: users
SELECT CONVERT(nvarchar(172), u.sid, 1), u.name, u.default_schema_name FROM sys.database_principals AS u
WHERE u.type = 'S' AND u.principal_id > 4

-- name: roles
SELECT CONVERT(nvarchar(172), u.sid, 1), r.name FROM sys.database_role_members AS m
JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id
JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id
WHERE u.type = 'S' AND u.principal_id > 4

-- name: permissions
SELECT CONVERT(nvarchar(172), u.sid, 1), p.state_desc, p.permission_name, COALESCE(w.type_desc, p.class_desc),
  COALESCE(OBJECT_SCHEMA_NAME(o.object_id), h.name, SCHEMA_NAME(t.schema_id), w.name),
  COALESCE(o.name, t.name), c.name
FROM sys.database_permissions AS p
JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
LEFT JOIN sys.all_objects AS o ON p.class = 1 AND o.object_id = p.major_id
LEFT JOIN sys.all_columns AS c ON p.class = 1 AND c.object_id = p.major_id AND c.column_id = p.minor_id
LEFT JOIN sys.schemas AS h ON p.class = 3 AND h.schema_id = p.major_id
LEFT JOIN sys.types AS t ON p.class = 6 AND t.user_type_id = p.major_id
LEFT JOIN sys.database_principals AS w ON p.class = 4 AND w.principal_id = p.major_id
WHERE u.type = 'S' AND u.principal_id > 4

-- name: owned
SELECT CONVERT(nvarchar(172), u.sid, 1), CAST(x.what AS nvarchar(300)) FROM (
  SELECT principal_id, N'SCHEMA::' + QUOTENAME(name) FROM sys.schemas
  UNION ALL
  SELECT principal_id, N'OBJECT::' + QUOTENAME(SCHEMA_NAME(schema_id)) + N'.' + QUOTENAME(name) FROM sys.objects
  UNION ALL SELECT owning_principal_id, N'ROLE::' + QUOTENAME(name) FROM sys.database_principals
) AS x (owner, what) JOIN sys.database_principals AS u ON u.principal_id = x.owner
WHERE u.type = 'S' AND u.principal_id > 4
