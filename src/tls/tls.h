// The seam between the programs and OpenSSL: load it, make one side of a TLS session over two
// descriptors, get a Transport and the facts about the peer, or a TlsError.
//
// Nothing of OpenSSL shows through, and nothing here knows SMTP: which sentence a peer reads is the
// programs' business. OpenSSL is not mapped into the process before load() (see openssl_import.cc),
// so that a session in the clear does not pay for it, and a host whose OpenSSL is gone still moves
// mail.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "qmail/control.h"
#include "qmail/deadline.h"
#include "qmail/result.h"
#include "qmail/tlsa_record.h"
#include "qmail/transport.h"

struct ssl_ctx_st;
struct ssl_st;

namespace qmail::tls {

// What could not be done. The programs choose their words by `step`.
struct TlsError {
  enum class Step {
    library,             // OpenSSL is not there, or not the one we were built for
    context,             // SSL_CTX_new and its settings
    parameters,          // a control file leaves nothing to speak (Parameters)
    session_id_context,  // SSL_CTX_set_session_id_context
    certificate,         // no usable certificate in the file
    key,         // no key in the file, an encrypted one, or one that is not the certificate's
    connection,  // SSL_new and its settings
    trust,       // the file of trust anchors cannot be used
    handshake,
  };
  Step step;
  std::string detail;      // OpenSSL's "error:…" text, "timed out", or the system's; may be empty
  std::string file{};      // the file to blame, if one is: "control/servercert.pem"
  std::string advice{};    // what an admin can do about it, if that is known: for the log
  bool timed_out = false;  // handshake: it was the deadline
};

// Something in the configuration that does not keep TLS from working, but not as meant: for the
// log.
struct Warning {
  std::string file;    // or the variable: "control/tlsserverciphers", "TLSCIPHERS"
  std::string reason;  // "names no cipher", "encrypted private key", …
};

// Maps libssl and libcrypto and binds every function that src/tls calls; once is enough, again is
// harmless. The error's `detail` is the dynamic linker's text.
std::optional<TlsError> load();

// Why load() would fail; nothing if it would not. Cheap where the libraries lie where they lay when
// the program was built: they are not mapped then. Elsewhere the answer is load()'s own.
std::optional<TlsError> missing();

// What --version says: the program's name and version, the OpenSSL it was built for, and the one it
// runs with, in that library's own words; or why there is none, which is what load() said.
std::string version_text(std::string_view program, const std::optional<TlsError>& not_loaded);

// 16 bytes; nothing where the library does not do MD5. load() has succeeded.
std::optional<std::string> hmac_md5(std::string_view key, std::string_view text);

// A cipher list for TLS 1.2 (ciphers(1)) and where it came from.
struct Ciphers {
  std::string list = "DEFAULT";
  std::string origin{};  // for warnings: "control/tlsserverciphers", "TLSCIPHERS"
};

// Names with ':' between them, and the file they stood in. Empty: whatever OpenSSL does by itself.
struct NameList {
  std::string list{};
  std::string origin{};
};

// What may be narrowed on either side.
struct Parameters {
  Ciphers ciphers{};
  NameList suites{};    // TLS 1.3's cipher suites, in this order; unknown ones are skipped
  NameList versions{};  // exactly these: TLSv1_2, TLSv1_3; older ones are read over
};

// The control files they stand in, each a list with lines or colons between its names.
struct ParameterFiles {
  std::string_view ciphers;
  std::string_view suites;
  std::string_view versions;
};

// `ciphers`: instead of what the file says, which is not read then.
Result<Parameters, ControlError> read_parameters(
    const ControlDir& control, const ParameterFiles& files,
    const std::optional<Ciphers>& ciphers = std::nullopt);

// The certificate that a client showed, as far as relaying is concerned.
struct ClientCertificate {
  enum class State {
    none,
    not_verified,
    verified,
    unknown,  // it cannot be told, since a file is there and cannot be used: that of the
              // authorities (and none of those that are left vouches for the certificate), or that
              // of the revoked (and all else is well)
  };
  State state = State::none;
  std::string reason{};  // not_verified: OpenSSL's text
                         // unknown: what is wrong with the file
  std::optional<std::string>
      email{};            // verified: the first emailAddress of the subject, as it stands there
  std::string subject{};  // one line, for the log; empty when none was shown
  std::string issuer{};
  std::string file{};                             // unknown: which one
  std::vector<std::string> alternative_emails{};  // verified: the rfc822Names, as they stand there
  // Whatever the state, if one was shown: the SHA-256 of the certificate, in hexadecimal. Who knows
  // the certificate itself need not ask who vouches for it.
  std::string sha256{};
};

// What came of comparing a server's certificate with what was wanted (Verification).
struct ServerCertificate {
  enum class State {
    unverified,          // nothing was wanted: nothing was checked
    verified,            // it is what was wanted (anchors: chain, dates, purpose and name)
    chain_not_verified,  // `reason`
    none,                // the server showed none
    no_matching_dns_name,
    no_common_name,       // no dNSName there, and no common name either
    other_common_name,    // no dNSName there, and the common name is `common_name`
    other_fingerprint,    // `fingerprint` is its own
    records_not_matched,  // no TLSA record, or not as one demands: `reason`
  };
  State state = State::unverified;
  std::string reason{};
  std::string fingerprint{};  // SHA-256, in lower case; where fingerprints were wanted
  std::string common_name{};
  std::string subject{};  // one line, for reports with DEBUG; empty when none
  std::string issuer{};
};

struct SessionFacts {
  std::string version;  // "TLSv1.3"
  std::string cipher;   // "TLS_AES_256_GCM_SHA384"
  bool resumed = false;
  std::string group{};  // of the key exchange: "X25519MLKEM768"; empty where there was none (RSA)
};

// --- server ---

struct ServerSettings {
  std::string certificate_file;  // chain and key in one file, in any order
  // The same with another type of key; "" or absent: none.
  std::string second_certificate_file{};
  // NAME/servercert.pem and NAME/servercert-ec.pem in it are shown to a client that asks for NAME
  // (server_names.h). "": nothing by name.
  std::string names_folder{};
  std::string dh_file{};  // used when it is there and good; "" or absent: built-in groups
  Parameters parameters{};
  // Ask the client for a certificate in the first handshake, never demand one.
  struct ClientCertificates {
    std::string authorities_file{};
    // Any number of lists; those in authorities_file count as well. Absent: nothing is revoked.
    std::string revocation_file{};
    // Ask even if no authority can vouch for a certificate; authorities_file may be "" then.
    bool known_by_digest = false;
  };
  std::optional<ClientCertificates> client_certificates{};
  std::string ticket_keys_file{};  // session tickets; "" or absent: none are issued
  bool wipes_input = false;        // no copy of what was received stays behind: passwords come
};

struct ServerSession {
  std::unique_ptr<Transport> transport;
  SessionFacts facts;
  std::string server_name;  // SNI; empty when none was sent
  ClientCertificate client;
};

struct ContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};

struct ServerHandshake;
struct TicketKeys;

class ServerContext {
 public:
  // Everything that can fail before a byte is exchanged. load() has succeeded. Where there is more
  // than one certificate to choose from, they are decoded when the client is known: what is wrong
  // inside the blocks of the file is a failure of accept() then.
  static Result<ServerContext, TlsError> create(const ServerSettings& settings);
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;
  ServerContext(ServerContext&&) noexcept;
  ServerContext& operator=(ServerContext&&) noexcept;
  ~ServerContext();
  // What create() found odd.
  const std::vector<Warning>& warnings() const { return warnings_; }

  // The handshake, whole, by `deadline`. After a failure the descriptors are good for nothing but
  // closing; if the peer has already been told (an alert), nothing more should be written.
  Result<ServerSession, TlsError> accept(int in, int out, Deadline deadline);
  // What the last accept(), successful or not, found odd in what it was to show.
  const std::vector<Warning>& accept_warnings() const;

 private:
  friend struct Inspection;  // inspect.h: what was made is looked at, not made again
  ServerContext();
  void ask_for_certificate(ssl_ctx_st* context, const ServerSettings::ClientCertificates& files);
  ClientCertificate client_of(ssl_st* ssl) const;

  std::unique_ptr<ServerHandshake> handshake_;  // the context points there
  std::shared_ptr<TicketKeys> ticket_keys_;     // each session has it, too: an SSL points there
  std::unique_ptr<ssl_ctx_st, ContextDeleter> context_;
  std::vector<Warning> warnings_;
  bool asks_for_certificate_ = false;
  // Why the files that certificates are judged by cannot be used, if so: unreadable, torn, empty, …
  std::optional<Warning> authorities_problem_;
  std::optional<Warning> revocation_problem_;
};

// --- client ---

// What the server's certificate must be.
struct Anchors {       // signed by one of these, and for one of the names
  std::string file{};  // the only trust anchors; empty: the system's store
  std::vector<std::string> names{};
  std::vector<std::string> domains{};  // any name under one of these is as good
  bool partial_chains =
      false;  // a certificate of the file that is not self-signed is an anchor, too
};
struct Fingerprints {  // one of these, or with such a key; whoever signed it, whenever
  std::vector<std::string> digests{};  // SHA-256, -384, -512 in lower-case hexadecimal digits
};
struct Tlsa {  // as one of the records of the server's name says (DANE)
  std::vector<TlsaRecord> records{};
  std::string base{};                // the name that they belong to
  std::vector<std::string> names{};  // which an authority may vouch for as well
};
using Verification = std::variant<std::monostate, Anchors, Fingerprints, Tlsa>;

// Can it be compared with at all? For records that have a certificate or a key whole (matching type
// 0): is it one? load() has succeeded.
bool is_readable(const TlsaRecord& record);

struct ClientSettings {
  // Sent as SNI; empty for a server that has no name.
  std::string server_name{};
  Verification verification{};  // by default nothing: whoever answers
  // Shown when the server asks; silently left out when absent or unusable (then warnings() says
  // why).
  std::string certificate_file{};
  Parameters parameters{};
};

struct ClientSession {
  std::unique_ptr<Transport> transport;
  SessionFacts facts;
  ServerCertificate server;
};

class ClientContext {
 public:
  static Result<ClientContext, TlsError> create(const ClientSettings& settings);
  const std::vector<Warning>& warnings() const { return warnings_; }

  // The handshake, whole, by `deadline`, and the comparison of the server's certificate. A
  // certificate that does not verify is no error: the verdict is in the session, and the session is
  // up.
  Result<ClientSession, TlsError> connect(int in, int out, Deadline deadline);

 private:
  friend struct Inspection;
  ClientContext() = default;
  std::optional<TlsError> narrow(ssl_ctx_st* context, const Parameters& parameters);
  std::unique_ptr<ssl_ctx_st, ContextDeleter> context_;
  std::vector<Warning> warnings_;
  std::string server_name_;
  Verification verification_;
};

}  // namespace qmail::tls
