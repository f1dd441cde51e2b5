#include "qmail/confinement.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qmail/unique_fd.h"

namespace qmail {

namespace {

// --- files: Landlock ---

// Everything of Landlock's first version but reading. Later versions refuse to link or rename from
// one folder to another unless asked not to.
constexpr std::uint64_t changes =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
// Of the third (Linux 6.2), and not in older headers: LANDLOCK_ACCESS_FS_TRUNCATE.
constexpr std::uint64_t truncation = 1 << 14;

int make_rules(std::uint64_t handled) {
  const landlock_ruleset_attr attributes{.handled_access_fs = handled};
  return static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0));
}

void forbid_changes_but_to(std::span<const char* const> writable) {
  UniqueFd rules(make_rules(changes | truncation));
  if (!rules) rules.reset(make_rules(changes));
  if (!rules) return;
  for (const char* path : writable) {
    const UniqueFd file(::open(path, O_PATH | O_CLOEXEC));
    if (!file) continue;  // a file that is not there need not be written to
    const landlock_path_beneath_attr rule{.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE,
                                          .parent_fd = file.get()};
    ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  }
  ::syscall(SYS_landlock_restrict_self, rules.get(), 0);
}

// --- calls: seccomp ---

#if defined(__x86_64__) && !defined(__ILP32__)
constexpr unsigned architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned architecture = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned architecture = 0;  // no filter
#endif

// A list of what is forbidden, not of what is allowed: a C library or an OpenSSL of tomorrow that
// uses a new call must go on delivering mail.
constexpr int forbidden[] = {
    // programs and processes; clone is looked at more closely below
    SYS_execve,
    SYS_execveat,
    SYS_unshare,
    SYS_setns,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_kcmp,
    // a way in for others; accept alone is none, and OpenSSL's AF_ALG engine needs it
    SYS_listen,
    // files, where Landlock does not look
    SYS_truncate,
    SYS_fchmod,
    SYS_fchmodat,
    452,  // fchmodat2, the same number everywhere; not in headers before Linux 6.6
    SYS_fchown,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    SYS_memfd_create,
    SYS_open_by_handle_at,
    // wide doors into the kernel
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    // an administrator's
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_fsopen,
    SYS_fsmount,
    SYS_open_tree,
    SYS_move_mount,
    SYS_mount_setattr,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_syslog,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_ioperm,
    SYS_iopl,
    SYS_modify_ldt,
#endif
};

constexpr sock_filter statement(std::uint16_t code, std::uint32_t k) { return {code, 0, 0, k}; }
constexpr sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter give(std::uint32_t verdict) { return statement(BPF_RET | BPF_K, verdict); }
// The next `skip` statements are passed over unless the comparison with `value` holds.
constexpr sock_filter unless(std::uint16_t comparison, std::uint32_t value, std::uint8_t skip) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), 0, skip, value};
}

constexpr std::uint32_t x32_calls = 0x40000000;  // the same calls under other numbers
constexpr std::size_t lowest_half = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

constexpr auto make_filter() {
  constexpr std::size_t head = 13;
  std::array<sock_filter, head + 2 * std::size(forbidden) + 1> filter{};
  auto* next = filter.data();
  const auto put = [&next](sock_filter line) { *next++ = line; };
  put(load(offsetof(seccomp_data, arch)));
  put({BPF_JMP | BPF_K | BPF_JEQ, 1, 0, architecture});
  put(give(SECCOMP_RET_KILL_PROCESS));
  put(load(offsetof(seccomp_data, nr)));
  put(unless(BPF_JGE, x32_calls, 1));
  put(give(SECCOMP_RET_KILL_PROCESS));
  // clone3 keeps its flags where a filter cannot look: told that there is none, the C library uses
  // clone. With that, a thread is allowed, a process is not.
  put(unless(BPF_JEQ, SYS_clone3, 1));
  put(give(SECCOMP_RET_ERRNO | ENOSYS));
  put(unless(BPF_JEQ, SYS_clone, 4));
  put(load(offsetof(seccomp_data, args) + lowest_half));
  put(unless(BPF_JSET, CLONE_THREAD, 1));
  put(give(SECCOMP_RET_ALLOW));
  put(give(SECCOMP_RET_KILL_PROCESS));
  for (const int call : forbidden) {
    put(unless(BPF_JEQ, static_cast<std::uint32_t>(call), 1));
    put(give(SECCOMP_RET_KILL_PROCESS));
  }
  put(give(SECCOMP_RET_ALLOW));
  return filter;
}

void forbid_calls() {
  // cppcheck-suppress knownConditionTrueFalse ; it looks at every branch of the #if above
  if (architecture == 0) return;
  static constexpr auto filter = make_filter();
  // The kernel does not write to it; sock_fprog was made before const.
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

}  // namespace

void confine(std::span<const char* const> writable) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;  // the others need it
  forbid_changes_but_to(writable);
  forbid_calls();
}

void hide_memory() { static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }

}  // namespace qmail
