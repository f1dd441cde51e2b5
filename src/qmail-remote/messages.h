// Every sentence that qmail-remote reports. They are interface: qmail-rspawn, bounce messages and
// people's log searches depend on them, to the byte. The letters before them are in report.h.
//
// IP is the server's address; REASON is a library's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "qmail-remote/bad_line.h"
#include "qmail-remote/report.h"

namespace qmail::remote {

// --- before a server is reached ---

inline constexpr std::string_view text_improper_use =
    "I (qmail-remote) was invoked improperly. (#5.3.5)\n";
inline constexpr std::string_view text_no_home = "Unable to switch to home directory. (#4.3.0)\n";
inline constexpr std::string_view text_out_of_memory = "Out of memory. (#4.3.0)\n";
inline constexpr std::string_view text_no_resources =
    "System resources temporarily unavailable. (#4.3.0)\n";
inline constexpr std::string_view text_out_of_memory_after_dot =
    "Out of memory. Possible duplicate! (#4.3.0)\n";
inline constexpr std::string_view text_control_unreadable =
    "Unable to read control files. (#4.3.0)\n";
inline constexpr std::string_view text_message_unreadable = "Unable to read message. (#4.3.0)\n";
inline constexpr std::string_view text_unforeseen =
    "Unforeseen trouble in qmail-remote. (#4.3.0)\n";
inline constexpr std::string_view text_alias_lookup_failed =
    "CNAME lookup failed temporarily. (#4.4.3)\n";
inline constexpr std::string_view text_host_lookup_failed =
    "Sorry, I couldn't find any host by that name. (#4.1.2)\n";
inline constexpr std::string_view text_no_connection =
    "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
inline constexpr std::string_view text_no_exchanger =
    "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n";
inline constexpr std::string_view text_exchanger_is_me =
    "Sorry. Although I'm listed as a best-preference MX or A for that host,\n"
    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n";
inline constexpr std::string_view text_sender_line_break =
    "Sorry, sender address contains a line break. (#5.1.7)\n";
inline constexpr std::string_view text_recipient_line_break =
    "Sorry, recipient address contains a line break. (#5.1.3)\n";
inline constexpr std::string_view text_partial_final_line =
    "SMTP cannot transfer messages with partial final lines. (#5.6.2)\n";

// Around the number of a call that confinement forbids; a whole report, since a signal handler
// writes it.
inline constexpr std::string_view text_forbidden_call = "ZForbidden system call ";
inline constexpr std::string_view text_forbidden_call_end =
    " (confinement; see qmail-remote(8)). (#4.3.0)\n";

inline MessageReport deferred(std::string_view text) {
  return {MessageStatus::temporary, std::string(text)};
}
inline MessageReport failed(std::string_view text) {
  return {MessageStatus::permanent, std::string(text)};
}
inline MessageReport no_such_host(std::string_view host) {
  return failed("Sorry, I couldn't find any host named " + printable(host) + ". (#5.1.2)\n");
}

inline MessageReport invalid_source(std::string_view file) {
  return deferred("invalid ipaddr in control/" + std::string(file) + " (#4.3.0)\n");
}
inline MessageReport unusable_source(std::string_view file, std::string_view reason) {
  return deferred("Unable to use control/" + std::string(file) +
                  " as source address: " + one_line(reason) + ". (#4.3.0)\n");
}
inline MessageReport unusable_line(const BadLine& bad) {
  return deferred("Unable to use control/" + bad.file + ", line " + std::to_string(bad.line) +
                  ": " + one_line(bad.reason) + ". (#4.3.0)\n");
}

// --- control/tlspolicymap: what its server says, or why nobody knows ---

// Of a reason that a stranger has a say in.
inline std::string short_reason(std::string_view reason) { return one_line(reason.substr(0, 500)); }
inline MessageReport policy_unusable(std::string_view reason) {
  return deferred("Unable to use the TLS policy from control/tlspolicymap: " +
                  short_reason(reason) + ". (#4.3.0)\n");
}
inline MessageReport policy_not_found_out(std::string_view destination, std::string_view reason) {
  return deferred("Unable to look up the TLS policy of " + printable(destination) +
                  " in control/tlspolicymap: " + short_reason(reason) + ". (#4.4.3)\n");
}

// --- before the envelope: the server has said that it will not take the message ---

inline MessageReport message_too_long(const std::string& ip, std::uint64_t size,
                                      std::uint64_t most) {
  return failed("Connected to " + ip + " but message of " + std::to_string(size) +
                " bytes is longer than the " + std::to_string(most) + " it takes. (#5.3.4)\n");
}
inline MessageReport no_such_letters(const std::string& ip) {
  return failed("Connected to " + ip + " but it takes no address with such letters. (#5.6.7)\n");
}

// --- the dialogue: each sentence is followed by ".\n" and the server's reply, if one is at hand
// ---

inline std::string quoted_reply(std::string_view reply) {
  return reply.empty() ? std::string() : "Remote host said: " + without_nul(reply);
}
inline std::string greeting_failed(const std::string& ip) {
  return "Connected to " + ip + " but greeting failed";
}
inline std::string tls_greeting_failed(const std::string& ip) {
  return "TLS Connected to " + ip + " but greeting failed";
}
inline std::string name_rejected(const std::string& ip) {
  return "Connected to " + ip + " but my name was rejected";
}
inline std::string no_mechanism(const std::string& ip) {
  return "Connected to " + ip + " but it offers no AUTH that I can use";
}
inline std::string authentication_rejected(const std::string& ip, std::string_view mechanism) {
  return "Connected to " + ip + " but authentication was rejected (" + std::string(mechanism) + ")";
}
inline std::string sender_rejected(const std::string& ip) {
  return "Connected to " + ip + " but sender was rejected";
}
inline std::string recipient_rejected(const std::string& ip) {
  return ip + " does not like recipient";
}
inline std::string giving_up(const std::string& ip) { return "Giving up on " + ip; }
inline std::string data_rejected(const std::string& ip) { return ip + " failed on DATA command"; }
inline std::string message_rejected(const std::string& ip) {
  return ip + " failed after I sent the message";
}
inline std::string message_accepted(const std::string& ip) { return ip + " accepted message"; }

// `possible_duplicate`: "Possible duplicate! " or nothing; `reason`: the TLS library's, or nothing.
inline std::string connection_died(const std::string& ip, std::string_view possible_duplicate,
                                   std::string_view reason) {
  std::string text = "Connected to " + ip + " but connection died. ";
  text += possible_duplicate;
  if (!reason.empty()) text.append(one_line(reason)).push_back(' ');
  return text += "(#4.4.2)\n";
}

// --- TLS: "; connecting to IP.\n" or "; connected to IP.\n" follows ---

// A whole report of what came before a handshake.
inline MessageReport deferred_before_tls(const std::string& sentence, const std::string& ip,
                                         std::string_view reply = {}) {
  return deferred(sentence + "; connecting to " + ip + ".\n" + quoted_reply(reply));
}
inline std::string with_reason(std::string_view text, std::string_view reason) {
  std::string result(text);
  if (!reason.empty()) result.append(": ").append(one_line(reason));
  return result;
}
inline std::string tls_library_missing(std::string_view reason) {
  return with_reason("TLS demanded, but OpenSSL cannot be loaded", reason);
}
inline std::string tls_policy_unknown(const std::string& file, std::string_view reason) {
  return with_reason("TLS unable to look for " + printable(file), reason);
}
inline std::string tls_context_failed(std::string_view reason) {
  return with_reason("TLS error initializing ctx", reason);
}
inline std::string tls_connection_failed(std::string_view reason) {
  return with_reason("TLS error initializing ssl", reason);
}
inline std::string tls_authorities_unusable(const std::string& file, std::string_view reason) {
  return with_reason("TLS unable to load " + printable(file), reason);
}
// WHY: a TlsPolicy's.
inline std::string tls_not_offered(const std::string& why) {
  return "No TLS achieved while " + why;
}
inline std::string starttls_rejected(const std::string& why) {
  return "STARTTLS rejected while " + why;
}
inline constexpr std::string_view text_starttls_rejected = "STARTTLS rejected";
inline std::string tls_forbidden(std::string_view name) {
  return "TLS forbidden by control/notlshosts/" + printable(name) +
         " or control/tlshosts/exhaustivelist";
}
inline std::string tls_forbidden_on_465(std::string_view name) {
  return tls_forbidden(name) + ", but port 465 speaks nothing else";
}
inline std::string tls_forbidden_on_465_by(std::string_view file, std::string_view destination) {
  return "TLS forbidden by " + std::string(file) + " for " + printable(destination) +
         ", but port 465 speaks nothing else";
}
inline std::string policy_says(std::string_view file, std::string_view level,
                               std::string_view destination) {
  return std::string(file) + " says " + std::string(level) + " for " + printable(destination);
}
inline std::string tls_forbidden_while(std::string_view name, const std::string& why) {
  return tls_forbidden(name) + " while " + why;
}
inline std::string tls_connect_failed(std::string_view reason) {
  return with_reason("TLS connect failed", reason);
}
inline constexpr std::string_view text_plaintext_behind_starttls =
    "plaintext behind the reply to STARTTLS";
inline constexpr std::string_view text_system_authorities = "the system's authorities";
// AUTHORITIES: a file, or text_system_authorities.
inline std::string chain_not_verified(const std::string& authorities, std::string_view reason) {
  const bool is_file = authorities != text_system_authorities;
  return with_reason(
      "TLS unable to verify server with " + (is_file ? printable(authorities) : authorities),
      reason);
}
inline std::string name_not_verified(std::string_view name, std::string_view reason) {
  return "TLS unable to verify server " + printable(name) + ": " + std::string(reason);
}
inline std::string records_not_matched(std::string_view name, std::string_view reason) {
  return with_reason("TLS unable to verify server " + printable(name) + " with its TLSA records",
                     reason);
}
inline std::string records_unknown(std::string_view name) {
  return "TLS unable to look up TLSA records of " + printable(name);
}
// KIND: "secure", "usable".
inline std::string no_records(std::string_view kind, std::string_view name,
                              const std::string& why) {
  return "No " + std::string(kind) + " TLSA records for " + printable(name) + " while " + why;
}
inline constexpr std::string_view text_no_certificate = "no certificate provided";
inline constexpr std::string_view text_no_name = "it has no name";
inline std::string is_not_for(const std::string& names) {
  return "certificate is not for " + names;
}
inline std::string other_fingerprint(const std::string& digits) {
  return "certificate has another fingerprint, sha256:" + digits;
}
inline constexpr std::string_view text_no_matching_dns_name =
    "certificate contains no matching dNSNnames";  // so spelled for twenty years
inline constexpr std::string_view text_no_common_name = "certificate contains no valid commonName";
inline std::string received_certificate_for(std::string_view common_name) {
  return "received certificate for " + printable(common_name);
}

// With DEBUG, behind the sentence of every report from inside TLS.
inline std::string tls_facts(std::string_view version, std::string_view cipher,
                             std::string_view subject, std::string_view issuer,
                             std::string_view group) {
  std::string text = "STARTTLS proto=" + one_line(version) + "; cipher=" + one_line(cipher);
  if (!subject.empty()) text += "; subject=" + one_line(subject);
  if (!issuer.empty()) text += "; issuer=" + one_line(issuer);
  if (!group.empty()) text += "; group=" + one_line(group);
  return text += ";\n";
}

}  // namespace qmail::remote
