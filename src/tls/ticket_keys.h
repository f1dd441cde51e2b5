// Session tickets that any process, and any machine that has the same file, can redeem (RFC 5077,
// RFC 8446 4.6.1).
//
// The file holds records of 80 random bytes, nothing else: 16 bytes of name, 32 of key for AES-256,
// 32 of key for HMAC-SHA256. Tickets are made with the first record; those made with a further one
// are still taken. A new key is a new record in front; a record that goes makes its tickets void.
// `openssl rand 80` makes one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

struct TicketKeys {
  struct Key {
    unsigned char name[16];
    unsigned char cipher[32];
    unsigned char mac[32];
  };
  std::vector<Key> keys{};

  TicketKeys() = default;
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();
};

using TicketKeysPtr = std::shared_ptr<TicketKeys>;

// The keys in `file`: none if there is no such file; none and a warning if it cannot be used.
struct TicketKeysRead {
  TicketKeysPtr keys{};
  std::optional<Warning> warning{};
};
TicketKeysRead read_ticket_keys(const std::string& file);

// Lets `context` issue one ticket a session and redeem those that come back, for two hours. `keys`
// must outlive every SSL of the context, in which the pointer to them stays.
void use_ticket_keys(SSL_CTX* context, TicketKeys& keys);

}  // namespace qmail::tls
