// TimeoutTable: queue/lock/tcpto, the addresses whose connections have timed out lately, shared by
// every qmail-remote; qmail-tcpto(8) prints it and qmail-tcpok(8) clears it.
//
// A file of slots, at most 64; it never grows and is never created; without it nothing is
// remembered. Every access happens under an exclusive lock, which is waited for a second at most:
// whoever can read the file can hold it, and mail must go on without the table then. Numbers have
// their least significant byte first.
//
//   queue/lock/tcpto, IPv4, 16 bytes:    0-3 address   4 count   8-11 time (seconds since 1970)
//   queue/lock/tcpto6, IPv6, 32 bytes:   0-15 address  16 count  24-27 time
//
// tcpto6 is ours: a file of 2048 zero bytes that belongs to qmailr; setup makes it. Nothing here
// ever fails a delivery.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "qmail/ip_address.h"

namespace qmail::remote {

class TimeoutTable {
 public:
  // The files that it writes to, seen from qmail's home: what confine() must leave to it.
  static constexpr std::array written_to = {"queue/lock/tcpto", "queue/lock/tcpto6"};

  // `folder`: where the files are. `patience`: for how many seconds an address that timed out at
  // least twice is left alone; patience_of() spreads it over the processes.
  TimeoutTable(std::string folder, std::int64_t patience)
      : folder_(std::move(folder)), patience_(patience) {}
  // 3840 to 5824 seconds.
  static std::int64_t patience_of(long process_id) { return (60 + process_id % 32) * 64; }

  struct Entry {
    bool known = false;  // the address is in the table
    bool skip = false;   // do not call it now
  };
  Entry look_up(const IpAddress& address, std::int64_t now) const;

  // An address that was known has answered, or failed in another way: its count is 0 again.
  void clear(const IpAddress& address) const;
  // It timed out. Within two minutes that counts once.
  void note_timeout(const IpAddress& address, std::int64_t now) const;

 private:
  std::string folder_;
  std::int64_t patience_;
};

}  // namespace qmail::remote
