// What a program gives up before it hears from a stranger, so that whoever takes it over by way of
// a bug finds little in it.
//
// Nothing here can fail: what this kernel does not have is not done, and the program works as well
// without. What is given up stays given up, also over execve(2).
#pragma once

#include <csignal>
#include <span>

namespace qmail {

// From now on the process can
//   - write to no file but those that are open, and `writable`; make, remove and rename none
//     (EACCES; landlock(7), Linux 5.13),
//   - run no program, make no process, trace none, listen for nobody, change no file's owner, mode
//     or (by its name) length, nor use what is there for administrators: a call of that kind is not
//     made, and `forbidden` is called in its place (seccomp(2); on x86-64 and ARM64),
//   - gain nothing by a set-uid program (PR_SET_NO_NEW_PRIVS).
// It can still read what its user may read, connect to anybody, and start threads (libraries
// might). Not for a program that starts others: they would inherit it.
//
// `forbidden`: the handler of SIGSYS (sigaction(2)): siginfo_t's si_syscall is the number of the
// call. It must not return, and use only what signal-safety(7) allows.
using ForbiddenCall = void (*)(int signal, siginfo_t* what, void* where);
void confine(std::span<const char* const> writable, ForbiddenCall forbidden);

// From now on a crash leaves no core file, and processes of the same user cannot read our memory
// (PR_SET_DUMPABLE): for a program that is about to read a private key. A program that we start is
// not affected.
void hide_memory();

}  // namespace qmail
