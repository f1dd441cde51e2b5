#include "qmail-remote/policy_file.h"

#include <utility>

#include "qmail/ascii.h"
#include "qmail/ip_address.h"

namespace qmail::remote {

namespace {

constexpr const char* file = "tlspolicy";

// Where the domain of a line ends.
std::size_t domain_length(std::string_view line) {
  if (!line.starts_with('[')) return line.find(':');
  const std::size_t bracket = line.find("]:");
  return bracket == std::string_view::npos ? bracket : bracket + 1;
}

// Is a line for `domain` one for `destination`, too?
bool is_for(std::string_view domain, std::string_view destination, bool is_name) {
  if (domain.empty() || equal_ignoring_case(domain, destination)) return true;
  return is_name && domain.starts_with('.') && destination.size() > domain.size() &&
         equal_ignoring_case(domain, destination.substr(destination.size() - domain.size()));
}

}  // namespace

Result<PolicyFile, BadLine> PolicyFile::read(const NumberedList& lines) {
  PolicyFile read;
  for (std::size_t i = 0; i < lines.entries.size(); ++i) {
    const std::string_view line = lines.entries[i];
    const std::size_t length = domain_length(line);
    if (length == std::string_view::npos) {
      return Failure(BadLine{file, lines.lines[i], "no colon"});
    }
    read.lines_.push_back({std::string(line.substr(0, length)),
                           std::string(line.substr(length + 1)), lines.lines[i],
                           lines.ended_by_nul[i]});
  }
  return read;
}

// The longest domain is the most exact one.
const PolicyFile::Line* PolicyFile::line_for(std::string_view destination) const {
  const bool is_name = !is_address(destination);
  const Line* best = nullptr;
  for (const Line& line : lines_) {
    const bool hit = is_for(line.domain, destination, is_name);
    if (hit && (best == nullptr || line.domain.size() >= best->domain.size())) best = &line;
  }
  return best;
}

Result<std::optional<PolicyFile::Found>, BadLine> PolicyFile::find(
    std::string_view destination) const {
  const Line* best = line_for(destination);
  if (best == nullptr) return std::optional<Found>();
  auto policy = policy_of(*best);
  if (!policy) return Failure(policy.error());
  return std::optional(Found{std::move(*policy), best->domain.empty()});
}

Result<PolicyWords, BadLine> PolicyFile::policy_of(const Line& line) {
  if (line.ended_by_nul) return Failure(BadLine{file, line.number, "bad value"});
  auto policy = parse_policy(line.policy);
  if (!policy) return Failure(BadLine{file, line.number, policy.error()});
  return std::move(*policy);
}

bool is_address(std::string_view destination) {
  return parse_ip(destination) || parse_ip_literal(destination);
}

}  // namespace qmail::remote
