#include "qmail-tlscheck/retired_names.h"

#include <array>

namespace qmail::tlscheck {

namespace {

constexpr Level loses = Level::fail;
constexpr Level changes = Level::warn;

constexpr std::array known_families{
    Family{'S', "sagredo's combined patch"},
    Family{'J', "the jms1 combined patch"},
    Family{'Q', "qmailtoaster"},
    Family{'A', "aQmail or s/qmail"},
    Family{'I', "indimail-mta"},
    Family{'X', "Qsmtp"},
    Family{'L', "qmail-ldap"},
    Family{'E', "eQmail"},
};

constexpr std::array files{
    RetiredName{"authtypes", "the kinds of AUTH", changes, "X"},
    RetiredName{"badhelo", "HELO names that are refused", loses, "SAI"},
    RetiredName{"badloadertypes", "attachments that are refused", loses, "A"},
    RetiredName{"badmailpatterns", "senders that are refused, by pattern", loses, "I"},
    RetiredName{"badmailto", "recipients that are refused", loses, "J"},
    RetiredName{"badmimetypes", "attachments that are refused", loses, "A"},
    RetiredName{"badrcptpatterns", "recipients that are refused, by pattern", loses, "I"},
    RetiredName{"badrcptto", "recipients that are refused", loses, "SAI"},
    RetiredName{"bindroutes", "source addresses by recipient", changes, "I"},
    RetiredName{"chkuserrcptlimit", "the limit of recipients", loses, "S"},
    RetiredName{"defaulthost", "the name that senders without one get", changes, "S"},
    RetiredName{"dnsbl", "blocklists", loses, "X"},
    RetiredName{"dnsbllist", "blocklists", loses, "S"},
    RetiredName{"domainbindings", "source addresses by sender", changes, "I"},
    RetiredName{"domaincerts", "client certificates by sender", changes, "A"},
    RetiredName{"domainips", "source addresses by sender", changes, "A"},
    RetiredName{"filterconf", "filters of recipients", loses, "X"},
    RetiredName{"forcesslauth", "AUTH inside TLS only", loses, "X"},
    RetiredName{"goodrcptto", "recipients that are taken", loses, "I"},
    RetiredName{"maxrecipients", "the limit of recipients", loses, "I"},
    RetiredName{"notlshosts_auto", "hosts that get no TLS, noted after failures", changes, "S"},
    RetiredName{"rbllist", "blocklists", loses, "I"},
    RetiredName{"realrcptto", "recipients that exist", loses, "E"},
    RetiredName{"recipients", "recipients that exist", loses, "A"},
    RetiredName{"relaymailfrom", "senders that may relay", loses, "SI"},
    RetiredName{"rsa2048.pem", "a temporary RSA key, which no cipher of today uses", Level::ok, ""},
    RetiredName{"rsa512.pem", "a temporary RSA key, which no cipher of today uses", Level::ok, ""},
    RetiredName{"dh512.pem", "weak parameters, which no cipher of today uses", Level::ok, ""},
    RetiredName{"dh1024.pem", "weak parameters, which no cipher of today uses", Level::ok, ""},
    RetiredName{"servercerts", "certificates by the name that the client asks for", loses, "S"},
    RetiredName{"signatures", "attachments that are refused", loses, "Q"},
    RetiredName{"smtpauth", "AUTH", loses, "L"},
    RetiredName{"smtpplugins", "plug-ins: checks of senders and recipients", loses, "SE"},
    RetiredName{"smtproutes.d", "routes", loses, "X"},
    RetiredName{"spfbehavior", "SPF", loses, "SQIX"},
    RetiredName{"spfexp", "the text of SPF's refusals", changes, "SQI"},
    RetiredName{"spfguess", "SPF where a domain has none", changes, "SQI"},
    RetiredName{"spfrules", "SPF's own rules", changes, "SQI"},
    RetiredName{"surbl", "blocklists of addresses in mail", loses, "S"},
    RetiredName{"tarpitcount", "recipients after which a client is slowed down", changes, "AI"},
    RetiredName{"tarpitdelay", "how long a client is slowed down", changes, "AI"},
    RetiredName{"tlsadomains", "domains whose certificates DNS vouches for", loses, "I"},
    RetiredName{"tlsdestinations", "servers that must have TLS or be verified", loses, "A"},
    RetiredName{"validrcptto", "recipients that exist", loses, "J"},
    RetiredName{"validrcptto.cdb", "recipients that exist", loses, "SJ"},
};

constexpr std::array variables{
    RetiredName{"AUTHREQUIRED", "a login is demanded", loses, "L"},
    RetiredName{"AUTH_SMTP", "a login at relays", loses, "I"},
    RetiredName{"AUTH_SET_MAILFROM", "the sender is the login's", changes, "J"},
    RetiredName{"BADHELO", "HELO names that are refused", loses, "A"},
    RetiredName{"BADMIMETYPES", "attachments that are refused", loses, "A"},
    RetiredName{"CHKUSER_MBXQUOTA", "quotas of mailboxes", loses, "SQ"},
    RetiredName{"CHKUSER_RCPTLIMIT", "the limit of recipients", loses, "SQ"},
    RetiredName{"CHKUSER_START", "checks of recipients", loses, "SQ"},
    RetiredName{"CHKUSER_WRONGRCPTLIMIT", "the limit of wrong recipients", loses, "SQ"},
    RetiredName{"DANE_VERIFICATION", "certificates that DNS vouches for", loses, "I"},
    RetiredName{"ENABLE_SPP", "plug-ins: checks of senders and recipients", loses, "SE"},
    RetiredName{"GREETDELAY", "a wait before the greeting", changes, "I"},
    RetiredName{"HELOCHECK", "checks of HELO names", loses, "A"},
    RetiredName{"LOCALMFCHECK", "senders that are this host's must be known", loses, "A"},
    RetiredName{"MASQUERADE", "other senders than the login's are allowed", changes, "I"},
    RetiredName{"MFDNSCHECK", "senders must have a mail exchanger", loses, "A"},
    RetiredName{"NOBADHELO", "no checks of HELO names", changes, "E"},
    RetiredName{"RBL", "blocklists", loses, "L"},
    RetiredName{"RCPTCHECK", "a program that checks recipients", loses, "SJL"},
    RetiredName{"RCPTCHECKRELAYCLIENT", "recipients of relaying clients are checked", loses, "S"},
    RetiredName{"RECIPIENTS", "recipients that exist", loses, "A"},
    RetiredName{"SECURE_AUTH", "AUTH inside TLS only", loses, "I"},
    RetiredName{"SENDERCHECK", "checks of senders", loses, "L"},
    RetiredName{"SPFBEHAVIOR", "SPF", loses, "SQI"},
    RetiredName{"SPPCONFFILE", "which plug-ins there are", loses, "SE"},
    RetiredName{"SUBMISSIONPORT", "the port where a login is demanded", loses, "HE"},
    RetiredName{"TARPITCOUNT", "recipients after which a client is slowed down", changes, "AI"},
    RetiredName{"TARPITDELAY", "how long a client is slowed down", changes, "AI"},
    RetiredName{"TLSREQUIRED", "mail inside TLS only", loses, "E"},
    RetiredName{"UCSPITLS", "TLS by the program before us", loses, "A"},
};

}  // namespace

std::span<const Family> families() { return known_families; }
std::span<const RetiredName> retired_files() { return files; }
std::span<const RetiredName> retired_variables() { return variables; }

}  // namespace qmail::tlscheck
