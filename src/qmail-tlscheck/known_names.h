// The control files and variables that qmail-smtpd and qmail-remote read, in one table.
//
// admin.man_complete compares it with their source, both ways, so that nothing that works is called
// without effect.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace qmail::tlscheck {

struct KnownFile {
  enum class Form { lines, other };
  std::string_view name;
  Form form;
};

inline constexpr std::array known_files{
    KnownFile{"addresspreference", KnownFile::Form::lines},
    KnownFile{"authsenders", KnownFile::Form::lines},
    KnownFile{"badmailfrom", KnownFile::Form::lines},
    KnownFile{"brtlimit", KnownFile::Form::lines},
    KnownFile{"clientca.pem", KnownFile::Form::other},
    KnownFile{"clientcert.pem", KnownFile::Form::other},
    KnownFile{"clientciphersuite", KnownFile::Form::lines},
    KnownFile{"clientcrl.pem", KnownFile::Form::other},
    KnownFile{"databytes", KnownFile::Form::lines},
    KnownFile{"dh2048.pem", KnownFile::Form::other},
    KnownFile{"helohost", KnownFile::Form::lines},
    KnownFile{"helohostbyip", KnownFile::Form::lines},
    KnownFile{"localiphost", KnownFile::Form::lines},
    KnownFile{"mailparams", KnownFile::Form::lines},
    KnownFile{"maxrcpt", KnownFile::Form::lines},
    KnownFile{"me", KnownFile::Form::lines},
    KnownFile{"morercpthosts.cdb", KnownFile::Form::other},
    KnownFile{"notlshosts/FQDN", KnownFile::Form::other},
    KnownFile{"outgoingip", KnownFile::Form::lines},
    KnownFile{"outgoingip6", KnownFile::Form::lines},
    KnownFile{"pipelining", KnownFile::Form::lines},
    KnownFile{"rcpthosts", KnownFile::Form::lines},
    KnownFile{"servercert-ec.pem", KnownFile::Form::other},
    KnownFile{"servercert.pem", KnownFile::Form::other},
    KnownFile{"servercerts", KnownFile::Form::other},
    KnownFile{"serverciphersuite", KnownFile::Form::lines},
    KnownFile{"smtpgreeting", KnownFile::Form::lines},
    KnownFile{"smtpplugins", KnownFile::Form::lines},
    KnownFile{"smtproutes", KnownFile::Form::lines},
    KnownFile{"timeoutconnect", KnownFile::Form::lines},
    KnownFile{"timeoutremote", KnownFile::Form::lines},
    KnownFile{"timeoutsmtpd", KnownFile::Form::lines},
    KnownFile{"tlsca.pem", KnownFile::Form::other},
    KnownFile{"tlsclientciphers", KnownFile::Form::lines},
    KnownFile{"tlsclientmethod", KnownFile::Form::lines},
    KnownFile{"tlsclients", KnownFile::Form::lines},
    KnownFile{"tlshosts/FQDN.pem", KnownFile::Form::other},
    KnownFile{"tlshosts/exhaustivelist", KnownFile::Form::other},
    KnownFile{"tlspolicy", KnownFile::Form::lines},
    KnownFile{"tlspolicymap", KnownFile::Form::lines},
    KnownFile{"tlsreport", KnownFile::Form::lines},
    KnownFile{"tlsserverciphers", KnownFile::Form::lines},
    KnownFile{"tlsservermethod", KnownFile::Form::lines},
    KnownFile{"tlsticketkeys", KnownFile::Form::other},
};

inline constexpr std::array known_variables{
    std::string_view("ALLOW_INSECURE_AUTH"),
    std::string_view("BRTLIMIT"),
    std::string_view("DATABYTES"),
    std::string_view("DEBUG"),
    std::string_view("DENY_TLS"),
    std::string_view("DISABLETLS"),
    std::string_view("DNSCACHEIP"),
    std::string_view("DROP_PRE_GREET"),
    std::string_view("ENABLE_SPP"),
    std::string_view("FORCEAUTHMAILFROM"),
    std::string_view("FORCETLS"),
    std::string_view("FORCE_TLS"),
    std::string_view("MAXRECIPIENTS"),
    std::string_view("NOCONFINEMENT"),
    std::string_view("PROXYPROTOCOL"),
    std::string_view("PROXYRULES"),
    std::string_view("QMAILHOME"),
    std::string_view("QMAILQUEUE"),
    std::string_view("RCPTCHECK"),
    std::string_view("RCPTCHECKRELAYCLIENT"),
    std::string_view("RELAYCLIENT"),
    std::string_view("REQUIREAUTH"),
    std::string_view("REQUIRE_AUTH"),
    std::string_view("SESSIONLOG"),
    std::string_view("SMTPAUTH"),
    std::string_view("SMTPD_GREETDELAY"),
    std::string_view("SMTPD_MAXERRORS"),
    std::string_view("SMTPD_MAXTIME"),
    std::string_view("SMTPS"),
    std::string_view("SMTPSIZE"),
    std::string_view("SPPCONFFILE"),
    std::string_view("TCPLOCALHOST"),
    std::string_view("TCPLOCALIP"),
    std::string_view("TCPREMOTEHOST"),
    std::string_view("TCPREMOTEINFO"),
    std::string_view("TCPREMOTEIP"),
    std::string_view("TLSCIPHERS"),
};

// Of an entry of control/: a file, or the folder of one.
constexpr bool is_known_file(std::string_view name) {
  return std::any_of(known_files.begin(), known_files.end(), [&](const KnownFile& known) {
    return known.name.substr(0, known.name.find('/')) == name;
  });
}

constexpr bool is_known_variable(std::string_view name) {
  return std::find(known_variables.begin(), known_variables.end(), name) != known_variables.end();
}

}  // namespace qmail::tlscheck
