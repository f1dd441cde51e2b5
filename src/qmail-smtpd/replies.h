// Every byte that a client sees from qmail-smtpd, in one place.
//
// These texts are interface: programs and people match them. Each one is a whole reply, CRLF
// included. Those with something to fill in are functions; what is filled in must not hold a line
// end (the session, the queue table and without_controls() see to that).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "qmail/base64.h"

namespace qmail::smtpd::reply {

// --- the verbs ---
inline constexpr std::string_view ok = "250 ok\r\n";
inline constexpr std::string_view flushed = "250 flushed\r\n";
inline constexpr std::string_view vrfy = "252 send some mail, i'll try my best\r\n";
inline constexpr std::string_view help = "214 netqmail home page: http://qmail.org/netqmail\r\n";
inline constexpr std::string_view unimplemented = "502 unimplemented (#5.5.1)\r\n";
inline constexpr std::string_view syntax_error = "555 syntax error (#5.5.4)\r\n";
inline constexpr std::string_view mail_first = "503 MAIL first (#5.5.1)\r\n";
inline constexpr std::string_view rcpt_first = "503 RCPT first (#5.5.1)\r\n";
inline constexpr std::string_view sender_barred =
    "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n";
inline constexpr std::string_view go_ahead = "354 go ahead\r\n";
inline constexpr std::string_view ready_for_tls = "220 ready for tls\r\n";
inline constexpr std::string_view no_parameters =
    "501 Syntax error (no parameters allowed) (#5.5.4)\r\n";

inline std::string banner(std::string_view greeting) {
  return std::string("220 ").append(greeting).append(" ESMTP\r\n");
}
inline std::string helo(std::string_view greeting) {
  return std::string("250 ").append(greeting).append("\r\n");
}
inline std::string ehlo(std::string_view greeting, std::string_view extensions) {
  return std::string("250-").append(greeting).append("\r\n").append(extensions);
}
inline std::string quit(std::string_view greeting) {
  return std::string("221 ").append(greeting).append("\r\n");
}

// --- a recipient that may not be relayed to ---
inline constexpr std::string_view not_relayed =
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n";
// Inside TLS; `reason`: why the client's certificate does not help, empty when it showed none.
inline std::string not_relayed_by_certificate(std::string_view reason) {
  std::string text(
      "553 sorry, that domain isn't in my list of allowed rcpthosts; no valid cert for gatewaying");
  if (!reason.empty()) text.append(": ").append(reason);
  return text.append(" (#5.7.1)\r\n");
}

// --- AUTH ---
inline std::string auth_challenge(std::string_view challenge) {
  return "334 " + base64_encoded(challenge) + "\r\n";
}
inline constexpr std::string_view auth_good = "235 ok, go ahead (#2.0.0)\r\n";
inline constexpr std::string_view auth_bad = "535 authentication failed (#5.7.1)\r\n";
inline constexpr std::string_view auth_temporary =
    "454 temporary authentication failure (#4.3.0)\r\n";
inline constexpr std::string_view auth_child_crashed =
    "454 oops, problem with child and I can't auth (#4.3.0)\r\n";
inline constexpr std::string_view auth_child_not_started =
    "454 oops, child won't start and I can't auth (#4.3.0)\r\n";
inline constexpr std::string_view auth_no_pipe =
    "454 oops, unable to open pipe and I can't auth (#4.3.0)\r\n";
inline constexpr std::string_view auth_canceled = "501 auth exchange canceled (#5.0.0)\r\n";
inline constexpr std::string_view auth_malformed = "501 malformed auth input (#5.5.4)\r\n";
inline constexpr std::string_view auth_not_available = "503 auth not available (#5.3.3)\r\n";
inline constexpr std::string_view auth_already = "503 you're already authenticated (#5.5.0)\r\n";
inline constexpr std::string_view auth_in_transaction =
    "503 no auth during mail transaction (#5.5.0)\r\n";
inline constexpr std::string_view auth_no_mechanism = "504 auth type unimplemented (#5.5.1)\r\n";
inline constexpr std::string_view auth_needs_tls =
    "538 auth not available without TLS (#5.3.3)\r\n";
inline constexpr std::string_view auth_demanded = "530 Authorization required (#5.7.1)\r\n";
inline constexpr std::string_view sender_is_not_user =
    "503 from and auth not the same (#5.5.1)\r\n";

// --- limits ---
inline constexpr std::string_view too_many_recipients = "452 max rcpt limit exceeded (#5.7.1)\r\n";
inline constexpr std::string_view too_many_refusals =
    "421 too many invalid addresses, goodbye (#4.3.0)\r\n";
inline constexpr std::string_view too_many_errors = "421 too many errors, goodbye (#4.3.0)\r\n";
inline constexpr std::string_view lasts_too_long =
    "421 this session has lasted too long, goodbye (#4.3.0)\r\n";
inline constexpr std::string_view talks_too_early = "554 SMTP protocol violation\r\n";

// --- plug-ins ---
// What a plug-in says in place of a reply is its own.
inline std::string plugin_failure(std::string_view program, std::string_view what) {
  std::string text = "451 qmail-spp failure: ";
  return text.append(program).append(": ").append(what).append(" (#4.3.0)\r\n");
}
inline constexpr std::string_view plugin_without_text =
    "451 qmail-spp failure: a reply without text (#4.3.0)\r\n";
inline constexpr std::string_view no_such_recipient =
    "550 sorry, no mailbox here by that name (#5.1.1)\r\n";
inline constexpr std::string_view recipient_check_temporary =
    "421 unable to verify recipient (#4.3.0)\r\n";
inline constexpr std::string_view recipient_check_not_run =
    "421 unable to execute recipient check (#4.3.0)\r\n";

// --- TLS ---
inline constexpr std::string_view tls_demanded = "530 must issue STARTTLS first (#5.7.0)\r\n";
inline std::string tls_failure(std::string_view what, std::string_view detail) {
  std::string text = std::string("454 TLS ").append(what);
  if (!detail.empty()) text.append(": ").append(detail);
  return text.append(" (#4.3.0)\r\n");
}

// --- after a message ---
// Takes its memory from `room`, so that it cannot fail when `room` has `queued_size` bytes.
inline constexpr std::size_t queued_size = 64;
inline std::string queued(std::string room, std::int64_t seconds_since_1970, int queue_pid) {
  room.assign("250 ok ").append(std::to_string(seconds_since_1970));
  room.append(" qp ").append(std::to_string(queue_pid)).append("\r\n");
  return room;
}
inline constexpr std::string_view too_many_hops =
    "554 too many hops, this message is looping (#5.4.6)\r\n";
inline constexpr std::string_view too_large =
    "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n";
inline constexpr std::string_view queue_not_started = "451 qqt failure (#4.3.0)\r\n";
inline constexpr std::string_view queue_crashed = "451 qq crashed (#4.3.0)\r\n";
inline constexpr std::string_view queue_wait_failed = "451 qq waitpid surprise (#4.3.0)\r\n";
inline constexpr std::string_view queue_read_error = "451 qq read error (#4.3.0)\r\n";

// qmail-queue's exit statuses (qmail-queue(8), and what QMAILQUEUE programs made of them). The
// first range that holds the status counts; 0 is not here.
struct QueueExit {
  int first;
  int last;
  std::string_view reply;
};
inline constexpr std::array<QueueExit, 19> queue_exits{{
    {11, 11, "554 envelope address too long for qq (#5.1.3)\r\n"},
    {115, 115, "554 envelope address too long for qq (#5.1.3)\r\n"},
    {31, 31, "554 mail server permanently rejected message (#5.3.0)\r\n"},
    {51, 51, "451 qq out of memory (#4.3.0)\r\n"},
    {52, 52, "451 qq timeout (#4.3.0)\r\n"},
    {53, 53, "451 qq write error or disk full (#4.3.0)\r\n"},
    {54, 54, queue_read_error},
    {55, 55, "451 qq unable to read configuration (#4.3.0)\r\n"},
    {56, 56, "451 qq trouble making network connection (#4.3.0)\r\n"},
    {61, 61, "451 qq trouble in home directory (#4.3.0)\r\n"},
    {62, 66, "451 qq trouble creating files in queue (#4.3.0)\r\n"},
    {71, 71, "451 mail server temporarily rejected message (#4.3.0)\r\n"},
    {72, 72, "451 connection to mail server timed out (#4.4.1)\r\n"},
    {73, 73, "451 connection to mail server rejected (#4.4.1)\r\n"},
    {74, 74, "451 communication with mail server failed (#4.4.2)\r\n"},
    {81, 81, "451 qq internal bug (#4.3.0)\r\n"},
    {91, 91, "451 qq internal bug (#4.3.0)\r\n"},
    {120, 120, "451 unable to exec qq (#4.3.0)\r\n"},
    {12, 40, "554 qq permanent problem (#5.3.0)\r\n"},
}};
constexpr std::string_view for_queue_exit(int status) {
  for (const QueueExit& entry : queue_exits) {
    if (status >= entry.first && status <= entry.last) return entry.reply;
  }
  return "451 qq temporary problem (#4.3.0)\r\n";
}

// --- last words ---
inline constexpr std::string_view timeout = "451 timeout (#4.4.2)\r\n";
inline constexpr std::string_view out_of_memory = "421 out of memory (#4.3.0)\r\n";
inline constexpr std::string_view unreadable_controls = "421 unable to read controls (#4.3.0)\r\n";
inline constexpr std::string_view own_addresses_unknown =
    "421 unable to figure out my IP addresses (#4.3.0)\r\n";
inline constexpr std::string_view bare_lf = "451 See http://pobox.com/~djb/docs/smtplf.html.\r\n";
inline constexpr std::string_view unforeseen = "421 unforeseen trouble (#4.3.0)\r\n";

}  // namespace qmail::smtpd::reply
