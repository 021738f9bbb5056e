// An object of a closed schema, read out of a stream member by member. An unknown or repeated member, a wrong
// type or a list over its limit ends the reading where it stands, and a missing member where the object ends:
// the memory that a text takes is that of the values which were asked for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.hpp"
#include "common/json_stream.hpp"
#include "common/seed.hpp"

namespace common {

struct JsonMember {
  enum class Presence { required, optional };
  std::string_view key;
  Presence presence = Presence::required;
};
[[nodiscard]] constexpr JsonMember optional_member(std::string_view key) {
  return {key, JsonMember::Presence::optional};
}

// A list of `limit` elements at most, where `limit` is a constant with a name.
struct JsonListLimit {
  std::size_t elements = 0;
};

class JsonObject {
 public:
  // Begins the object that comes next in the stream. `where` begins every error message: "<file>: entry 12".
  // `known` has at most 64 members and outlives this.
  JsonObject(JsonStream& stream, std::string where, std::span<const JsonMember> known);

  // The next member, whose value must be taken before the next call; false past the end.
  bool next();
  [[nodiscard]] bool is(std::string_view key) const { return key_ == key; }
  // Whether it has come.
  [[nodiscard]] bool has(std::string_view key) const;
  // Throws where one of them has not come. For members that are required in some objects only.
  void require(std::initializer_list<std::string_view> keys) const;
  // The member that came last; empty where there was none.
  [[nodiscard]] std::string_view last() const { return key_; }

  // The value of the member. Anything of another type is a format error.
  [[nodiscard]] std::string string();
  [[nodiscard]] std::int64_t integer();
  [[nodiscard]] std::uint64_t count();  // an integer of 0 or more
  [[nodiscard]] double number();
  [[nodiscard]] Seed seed();
  [[nodiscard]] Digest digest();
  [[nodiscard]] std::vector<std::string> strings(JsonListLimit limit);
  // True where it is null, which is then taken.
  [[nodiscard]] bool is_null();
  // Calls `take` before each element of a list, which must take it out of the stream.
  template <typename Take>
  void list(JsonListLimit limit, const Take& take) {
    begin_list();
    for (std::size_t count = 0; stream_.element(); ++count) {
      check_limit(count, limit);
      take();
    }
  }

  [[noreturn]] void fail(const std::string& what) const;

 private:
  [[nodiscard]] std::size_t index_of(std::string_view key) const;
  void expect(JsonStream::Kind kind, const char* wanted);
  void begin_list();
  void check_limit(std::size_t count, JsonListLimit limit) const;

  JsonStream& stream_;
  std::string where_;
  std::span<const JsonMember> known_;
  std::uint64_t seen_ = 0;  // a bit for each that is known
  std::string_view key_;    // of `known_`
};

}  // namespace common
