#include "qmail/confinement.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <pthread.h>
#include <spawn.h>
#include <string>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace qmail {
namespace {

// 0: there is none.
long landlock_version() { return std::max(0L, ::syscall(444, nullptr, 0, 1U /* its version */)); }

#if (defined(__x86_64__) && !defined(__ILP32__)) || defined(__aarch64__)
constexpr bool calls_are_looked_at = true;
#else
constexpr bool calls_are_looked_at = false;
#endif
constexpr const char* not_tested = "NOT TESTED: no call is forbidden on this processor";

constexpr int forbidden_call_status = 99;
void end_by_status(int /*signal*/, siginfo_t* what, void* /*where*/) {
  ::_exit(what->si_syscall >= 0 ? forbidden_call_status : 98);
}

// What became of a child that did this; the child's exit status is an errno, or 0.
int status_of(const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::_exit(act());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

class Confinement : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/confinement.XXXXXX";
    folder_ = ::mkdtemp(name);
    for (const char* file : {"/table", "/other"}) {
      ::close(::open((folder_ + file).c_str(), O_CREAT | O_WRONLY, 0644));
    }
  }
  void TearDown() override {
    for (const char* file : {"/table", "/other", "/new", "/renamed"}) {
      ::unlink((folder_ + file).c_str());
    }
    ::rmdir(folder_.c_str());
  }

  std::string path(const char* file) const { return folder_ + file; }
  int status_confined(const std::function<int()>& act) const {
    return status_of([&] {
      const std::string table = path("/table");
      const std::string absent = path("/absent");
      confine(std::array{table.c_str(), absent.c_str()}, end_by_status);
      return act();
    });
  }

 private:
  std::string folder_;
};

int errno_unless(bool done) { return done ? 0 : errno; }

TEST_F(Confinement, ReadingTheWritableFileThreadsAndConnectionsAreLeft) {
  struct Row {
    const char* what;
    std::function<int()> act;
  };
  const Row rows[] = {
      {"read", [&] { return errno_unless(::open(path("/other").c_str(), O_RDONLY) >= 0); }},
      {"list", [&] { return errno_unless(::open("/tmp", O_RDONLY | O_DIRECTORY) >= 0); }},
      {"table",
       [&] {
         const int fd = ::open(path("/table").c_str(), O_RDWR);
         return errno_unless(fd >= 0 && ::write(fd, "x", 1) == 1);
       }},
      {"socket", [] { return errno_unless(::socket(AF_INET, SOCK_STREAM, 0) >= 0); }},
      {"thread",
       [] {
         pthread_t thread;
         const auto nothing = [](void*) -> void* { return nullptr; };
         const int error = ::pthread_create(&thread, nullptr, nothing, nullptr);
         return error != 0 ? error : ::pthread_join(thread, nullptr);
       }},
  };
  for (const Row& row : rows) EXPECT_EQ(status_confined(row.act), 0) << row.what;
}

TEST_F(Confinement, FilesCannotBeChanged) {
  if (landlock_version() == 0) GTEST_SKIP() << "NOT TESTED: this kernel has no Landlock";
  struct Row {
    const char* what;
    std::function<bool()> act;
    long since = 1;  // the version of Landlock
  };
  const Row rows[] = {
      {"write", [&] { return ::open(path("/other").c_str(), O_WRONLY) >= 0; }},
      {"empty", [&] { return ::open(path("/other").c_str(), O_RDONLY | O_TRUNC) >= 0; }, 3},
      {"make", [&] { return ::open(path("/new").c_str(), O_CREAT | O_WRONLY, 0600) >= 0; }},
      {"remove", [&] { return ::unlink(path("/other").c_str()) == 0; }},
      {"remove the table", [&] { return ::unlink(path("/table").c_str()) == 0; }},
      {"rename", [&] { return ::rename(path("/table").c_str(), path("/renamed").c_str()) == 0; }},
      {"make a folder", [&] { return ::mkdir(path("/new").c_str(), 0700) == 0; }},
      {"link", [&] { return ::symlink("x", path("/new").c_str()) == 0; }},
  };
  for (const Row& row : rows) {
    if (row.since > landlock_version()) continue;
    EXPECT_EQ(status_of([&] { return errno_unless(row.act()); }), 0) << row.what << ", unconfined";
    TearDown();
    SetUp();
    const int status = status_confined([&] { return errno_unless(row.act()); });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EACCES) << row.what << ": " << status;
  }
}

TEST_F(Confinement, ForbiddenCallsAreTheEnd) {
  if (!calls_are_looked_at) GTEST_SKIP() << not_tested;
  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  struct Row {
    const char* what;
    std::function<void()> act;
    bool foreign = false;
  };
  const Row rows[] = {
    {"exec", [&] { ::execv(program, arguments); }},
    {"kill", [] { ::kill(::getppid(), 0); }},
    {"trace", [] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"listen", [] { ::listen(::socket(AF_INET, SOCK_STREAM, 0), 1); }},
    {"mode", [&] { ::chmod(path("/table").c_str(), 0777); }},
    {"length", [&] { static_cast<void>(::truncate(path("/table").c_str(), 0)); }},
    {"bpf", [] { ::syscall(SYS_bpf, 0, nullptr, 0); }},
#if defined(__x86_64__)
    {"32-bit call", [] { asm volatile("int $0x80"
                                      :
                                      : "a"(20)); },  // getpid there
     true},
    {"x32 call", [] { ::syscall(0x40000000 | SYS_getpid); }, true},
#endif
  };
  for (const Row& row : rows) {
    const int status = status_confined([&] {
      row.act();
      return 0;
    });
    const bool handled = WIFEXITED(status) && WEXITSTATUS(status) == forbidden_call_status;
    // Calls of another architecture are no library's mistake. SIGSEGV: the answer of a kernel that
    // has no 32-bit calls at all.
    const bool killed =
        WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
    EXPECT_TRUE(row.foreign ? killed : handled) << row.what << ": " << status;
  }
}

// They block every signal on the way, fork(3) in later C libraries only, so that nobody could
// handle one.
TEST_F(Confinement, SpawningIsNotPermitted) {
  if (!calls_are_looked_at) GTEST_SKIP() << not_tested;
  const int forked = status_confined([] { return errno_unless(::fork() >= 0); });
  EXPECT_TRUE(WIFEXITED(forked) && WEXITSTATUS(forked) == EPERM) << forked;

  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  const int status = status_confined(
      [&] { return ::posix_spawn(nullptr, program, nullptr, nullptr, arguments, environ); });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EPERM) << status;
}

// Whoever starts us may have blocked or ignored the signal: the handler is called all the same.
TEST_F(Confinement, AForbiddenCallIsHandledWhateverTheSignalsAre) {
  if (!calls_are_looked_at) GTEST_SKIP() << not_tested;
  const int status = status_of([&] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    static_cast<void>(std::signal(SIGSYS, SIG_IGN));
    confine({}, end_by_status);
    return ::chmod(path("/table").c_str(), 0777);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == forbidden_call_status) << status;
}

TEST_F(Confinement, NoPrivilegeIsGained) {
  EXPECT_EQ(status_confined([] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) - 1; }), 0);
}

TEST(HideMemory, LeavesNoCoreFile) {
  EXPECT_EQ(status_of([] {
              hide_memory();
              return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
            }),
            0);
}

}  // namespace
}  // namespace qmail
