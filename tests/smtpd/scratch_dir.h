// A folder of a test's own, gone with it; for control files and the like.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace qmail::smtpd {

class ScratchDir {
 public:
  ScratchDir() {
    std::string pattern = testing::TempDir() + "smtpdXXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Makes the folders on the way, too.
  std::string put(std::string_view name, std::string_view content) const {
    const std::string to = file(name);
    std::filesystem::create_directories(std::filesystem::path(to).parent_path());
    std::FILE* out = std::fopen(to.c_str(), "wb");
    if (out == nullptr) throw std::runtime_error("fopen " + to);
    const bool written = std::fwrite(content.data(), 1, content.size(), out) == content.size();
    if (std::fclose(out) != 0 || !written) throw std::runtime_error("write " + to);
    return to;
  }
  void put_directory(std::string_view name) const {
    std::filesystem::create_directories(file(name));
  }
  std::string get(std::string_view name) const {
    std::string content;
    std::FILE* in = std::fopen(file(name).c_str(), "rb");
    if (in == nullptr) throw std::runtime_error("fopen " + file(name));
    for (int c = std::fgetc(in); c != EOF; c = std::fgetc(in)) {
      content.push_back(static_cast<char>(c));
    }
    static_cast<void>(std::fclose(in));
    return content;
  }
  bool has(std::string_view name) const { return std::filesystem::exists(file(name)); }

 private:
  std::string path_;
};

}  // namespace qmail::smtpd
