#include "qmail/confinement.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qmail/unique_fd.h"

namespace qmail {

namespace {

// --- files: Landlock ---

// The kernel's interface (landlock(7)), which never changes, written out: headers older than the
// kernel must not decide what it is asked for, nor newer ones with more members.
constexpr long create_ruleset = 444;  // the numbers of the calls, the same everywhere
constexpr long add_rule = 445;
constexpr long restrict_self = 446;
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};
constexpr int rule_path_beneath = 1;
constexpr std::uint64_t execute = 1 << 0;
constexpr std::uint64_t write_file = 1 << 1;
constexpr std::uint64_t remove_and_make = 0x7f << 4;  // what a folder holds: MAKE_SYM is the last
// Everything of the first version but reading (2 and 3). Later versions refuse to link or rename
// from one folder to another unless asked not to.
constexpr std::uint64_t changes = execute | write_file | remove_and_make | 1 << 11 | 1 << 12;
constexpr std::uint64_t truncation = 1 << 14;  // of the third (Linux 6.2)

int make_rules(std::uint64_t handled) {
  const RulesetAttributes attributes{handled};
  return static_cast<int>(::syscall(create_ruleset, &attributes, sizeof attributes, 0));
}

void forbid_changes_but_to(std::span<const char* const> writable) {
  UniqueFd rules(make_rules(changes | truncation));
  if (!rules) rules.reset(make_rules(changes));
  if (!rules) return;
  for (const char* path : writable) {
    const UniqueFd file(::open(path, O_PATH | O_CLOEXEC));
    if (!file) continue;  // a file that is not there need not be written to
    const PathBeneath rule{write_file, file.get()};
    ::syscall(add_rule, rules.get(), rule_path_beneath, &rule, 0);
  }
  ::syscall(restrict_self, rules.get(), 0);
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
// Calls since Linux 5.1 have one number everywhere, and stand here by it: older headers lack them.
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
    434,  // pidfd_open
    438,  // pidfd_getfd
    424,  // pidfd_send_signal
    SYS_kcmp,
    // a way in for others; accept alone is none, and OpenSSL's AF_ALG engine needs it
    SYS_listen,
    // files, where Landlock does not look
    SYS_truncate,
    SYS_fchmod,
    SYS_fchmodat,
    452,  // fchmodat2
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
    425,  // io_uring_setup
    426,  // io_uring_enter
    427,  // io_uring_register
    // an administrator's
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    430,  // fsopen
    432,  // fsmount
    428,  // open_tree
    429,  // move_mount
    442,  // mount_setattr
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
  constexpr std::uint32_t clone3 = 435;
  put(unless(BPF_JEQ, clone3, 1));
  put(give(SECCOMP_RET_ERRNO | ENOSYS));
  // posix_spawn(3), and fork(3) of later C libraries, block every signal before they call clone:
  // trapped there they would be killed without a word, so they are told "not permitted", which
  // their caller can say.
  put(unless(BPF_JEQ, SYS_clone, 4));
  put(load(offsetof(seccomp_data, args) + lowest_half));
  put(unless(BPF_JSET, CLONE_THREAD, 1));
  put(give(SECCOMP_RET_ALLOW));
  put(give(SECCOMP_RET_ERRNO | EPERM));
  for (const int call : forbidden) {
    put(unless(BPF_JEQ, static_cast<std::uint32_t>(call), 1));
    put(give(SECCOMP_RET_TRAP));
  }
  put(give(SECCOMP_RET_ALLOW));
  return filter;
}

void forbid_calls(ForbiddenCall forbidden_call) {
  // cppcheck-suppress knownConditionTrueFalse ; it looks at every branch of the #if above
  if (architecture == 0) return;
  struct sigaction action {};
  action.sa_sigaction = forbidden_call;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
  // Of the kernel directly: each function of the C library costs every start a thousand
  // instructions in the dynamic linker.
  const std::uint64_t only_sigsys = std::uint64_t{1} << (SIGSYS - 1);
  ::syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &only_sigsys, nullptr, sizeof only_sigsys);
  static constexpr auto filter = make_filter();
  // The kernel does not write to it; sock_fprog was made before const.
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

}  // namespace

void confine(std::span<const char* const> writable, ForbiddenCall forbidden_call) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;  // the others need it
  forbid_changes_but_to(writable);
  forbid_calls(forbidden_call);
}

}  // namespace qmail
