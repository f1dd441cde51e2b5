// queue_sink: the cheapest QMAILQUEUE program, so that the benchmark measures qmail-smtpd and
// little else. Reads the message (descriptor 0) and the envelope (descriptor 1) to their ends; exit
// 0. Built statically by the benchmark, to start quickly and in little address space.
#include <unistd.h>

int main() {
  static char block[65536];
  const int message = 0;
  const int envelope = 1;
  while (::read(message, block, sizeof block) > 0) continue;
  while (::read(envelope, block, sizeof block) > 0) continue;
}
