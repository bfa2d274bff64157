"""What the servers of `tests.openldap` are told, and the entries they begin with."""

SUFFIX = "dc=example,dc=org"
ACCOUNTS = f"ou=services,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
POLICY = f"cn=default,ou=policies,{SUFFIX}"
ROOT = f"cn=root,{SUFFIX}"
ROOT_PASSWORD = "Root-of-the-test-1"
BIND_PASSWORD = "Keyturn-binds-as-1"

LOCKOUT_S = 60

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload syncprov
moduleload auditlog
pidfile {folder}/pid
TLSCACertificateFile {common}/ca.pem
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
security ssf=128
database mdb
suffix "{suffix}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
maxsize 33554432
index objectClass,entryUUID,entryCSN,uid,member eq
lastbind on
{access}
overlay auditlog
auditlog {folder}/audit.ldif
overlay ppolicy
ppolicy_default "{policy}"
{replication}
"""
# The rights that docs/how-to/realm-openldap.md tells people to give; `two_accounts` adds those of a second account, as
# docs/how-to/keyturns-own-accounts.md says.
ACCESS = f"""
access to dn.subtree="{ACCOUNTS}" attrs=userPassword
  by dn.exact="uid=keyturn,{ACCOUNTS}" manage
  by anonymous auth
  by * none
access to dn.subtree="{ACCOUNTS}"
  by dn.exact="uid=keyturn,{ACCOUNTS}" manage
  by * none
access to dn.subtree="{GROUPS}"
  by dn.exact="uid=keyturn,{ACCOUNTS}" write
  by * none
access to dn.base="{SUFFIX}"
  by dn.exact="uid=keyturn,{ACCOUNTS}" read
  by * none
access to dn.subtree="ou=policies,{SUFFIX}"
  by dn.exact="uid=keyturn,{ACCOUNTS}" read
  by * none
"""


def two_accounts(access: str) -> str:
    """Each line of Keyturn's account once more, for `keyturn_2`."""
    lines = access.splitlines(keepends=True)
    return "".join(line + line.replace("uid=keyturn,", "uid=keyturn_2,") * ("uid=keyturn," in line) for line in lines)


PROVIDER = """
overlay syncprov
"""
CONSUMER = """
syncrepl rid=001 provider=ldaps://{provider}:{port} type=refreshAndPersist retry="1 +" searchbase="{suffix}"
  bindmethod=simple binddn="{root}" credentials={root_password} tls_cacert={common}/ca.pem tls_reqcert=demand
  attrs="*,+"
"""
ENTRIES = f"""
dn: {SUFFIX}
objectClass: domain
dc: example

dn: {ACCOUNTS}
objectClass: organizationalUnit
ou: services

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: ou=policies,{SUFFIX}
objectClass: organizationalUnit
ou: policies

dn: {POLICY}
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdCheckQuality: 2
pwdMinLength: 8
pwdInHistory: 3
pwdMinAge: 600
pwdMaxAge: 2147483647
pwdLockout: TRUE
pwdMaxFailure: 4
pwdFailureCountInterval: 60
pwdLockoutDuration: {LOCKOUT_S}

dn: uid=keyturn,{ACCOUNTS}
objectClass: person
objectClass: uidObject
uid: keyturn
cn: keyturn
sn: keyturn

dn: cn=Keyturn Contract,{GROUPS}
objectClass: groupOfNames
cn: Keyturn Contract
member: uid=keyturn,{ACCOUNTS}
"""
