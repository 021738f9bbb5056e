#include "common/json_object.hpp"

#include <algorithm>
#include <charconv>

#include "common/error.hpp"

namespace common {
namespace {

using Kind = JsonStream::Kind;

constexpr std::size_t k_shown_bytes = 100;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::object:
      return "object";
    case Kind::array:
      return "array";
    case Kind::string:
      return "string";
    case Kind::number:
      return "number";
    case Kind::literal:
      break;
  }
  return "literal";
}

}  // namespace

JsonObject::JsonObject(JsonStream& stream, std::string where, std::span<const JsonMember> known)
    : stream_(stream), where_(std::move(where)), known_(known) {
  ENSURE(known.size() <= 64);
  if (stream_.next() != Kind::object)
    throw Error(ErrorKind::format, where_ + " is not a JSON object; check the file");
  stream_.enter();
}

std::size_t JsonObject::index_of(std::string_view key) const {
  const auto at =
      std::find_if(known_.begin(), known_.end(), [&](const JsonMember& member) { return member.key == key; });
  return static_cast<std::size_t>(at - known_.begin());
}

bool JsonObject::next() {
  std::string_view key;
  if (!stream_.member(key)) {
    for (const JsonMember& member : known_)
      if (member.presence == JsonMember::Presence::required) require({member.key});
    return false;
  }
  const std::size_t index = index_of(key);
  if (index == known_.size())
    throw Error(ErrorKind::format, where_ + " has the unknown key \"" +
                                       std::string(key.substr(0, k_shown_bytes)) +
                                       "\"; remove it, or name a file of the right kind");
  key_ = known_[index].key;
  if (has(key_))
    fail("duplicate key \"" + std::string(key_) + "\" in one object; repair the file or name another");
  seen_ |= std::uint64_t{1} << index;
  return true;
}

bool JsonObject::has(std::string_view key) const {
  const std::size_t index = index_of(key);
  return index < known_.size() && (seen_ >> index & 1) != 0;
}

void JsonObject::require(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys)
    if (!has(key))
      throw Error(ErrorKind::format,
                  where_ + " has no key \"" + std::string(key) + "\"; check that it is the right file");
}

std::string JsonObject::string() {
  expect(Kind::string, "a string");
  return std::string(stream_.text());
}

std::int64_t JsonObject::integer() {
  expect(Kind::number, "an integer of 64 bits");
  const JsonNumber number = stream_.number();
  if (number.kind != JsonNumber::Kind::integer)
    fail("\"" + std::string(key_) + "\" must be an integer of 64 bits, found " +
         std::string(number.text.substr(0, k_shown_bytes)) + "; check the file");
  return number.value;
}

std::uint64_t JsonObject::count() {
  const std::int64_t value = integer();
  if (value < 0)
    fail("\"" + std::string(key_) + "\" must be 0 or more, found " + std::to_string(value) +
         "; correct the file");
  return static_cast<std::uint64_t>(value);
}

double JsonObject::number() {
  expect(Kind::number, "a number");
  const std::string_view text = stream_.number().text;
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
    fail("the number " + std::string(text.substr(0, k_shown_bytes)) +
         " is too large or too small for a double; repair the file or name another");
  return value;
}

Seed JsonObject::seed() {
  expect(Kind::number, "an integer");
  const JsonNumber number = stream_.number();
  const auto seed = number.kind == JsonNumber::Kind::real ? std::nullopt : Seed::parse(number.text);
  if (!seed)
    fail("\"" + std::string(key_) + "\" must be an integer of at most 4300 digits, found " +
         std::string(number.text.substr(0, k_shown_bytes)) + "; check the file");
  return *seed;
}

Digest JsonObject::digest() {
  expect(Kind::string, "a string");
  const auto digest = parse_digest(stream_.text());
  if (!digest)
    fail("\"" + std::string(key_) + "\" must be 64 hexadecimal digits in lower case; correct the file");
  return *digest;
}

std::vector<std::string> JsonObject::strings(JsonListLimit limit) {
  std::vector<std::string> texts;
  list(limit, [&] {
    if (stream_.next() != Kind::string)
      fail("\"" + std::string(key_) + "\" must hold strings only, found " + name_of(stream_.next()) +
           "; check the file");
    texts.emplace_back(stream_.text());
  });
  return texts;
}

bool JsonObject::is_null() {
  if (stream_.next() != Kind::literal) return false;
  if (stream_.literal() != JsonLiteral::null)
    fail("\"" + std::string(key_) + "\" is true or false, which it cannot be; check the file");
  return true;
}

void JsonObject::fail(const std::string& what) const { throw Error(ErrorKind::format, where_ + ": " + what); }

void JsonObject::expect(Kind kind, const char* wanted) {
  if (stream_.next() == kind) return;
  std::string found = name_of(stream_.next());
  if (stream_.next() == Kind::literal) found = stream_.literal() == JsonLiteral::null ? "null" : "boolean";
  fail("\"" + std::string(key_) + "\" must be " + wanted + ", found " + found + "; check the file");
}

void JsonObject::begin_list() {
  expect(Kind::array, "an array");
  stream_.enter();
}

void JsonObject::check_limit(std::size_t count, JsonListLimit limit) const {
  if (count >= limit.elements)
    fail("\"" + std::string(key_) + "\" has more than " + std::to_string(limit.elements) +
         " elements, the limit; check the file");
}

}  // namespace common
