#include "trainer/formats/safetensors_header.hpp"

#include <fmt/format.h>

#include <string>

#include "common/error.hpp"
#include "tests/support/safetensors_file.hpp"

#include <doctest/doctest.h>

using support::safetensors_file;

namespace {

trainer::SafetensorsHeader parse(const std::string& header, std::size_t data_bytes) {
  const common::Bytes file = safetensors_file(header, data_bytes);
  return trainer::parse_safetensors_header(file, file.size(), "x.safetensors");
}

void check_refused(const std::string& header, std::size_t data_bytes, const std::string& because) {
  CAPTURE(because);
  CHECK_THROWS_WITH_AS((void)parse(header, data_bytes), doctest::Contains(because.c_str()), common::Error);
}

std::string tensor(const std::string& type, const std::string& shape, std::uint64_t begin,
                   std::uint64_t end) {
  return fmt::format(R"({{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", type, shape, begin, end);
}

}  // namespace

TEST_CASE("every dtype of the format is known by its name and its length") {
  for (const auto& [name, bytes] : {std::pair("F64", 8), std::pair("F8_E4M3", 1), std::pair("U16", 2),
                                    std::pair("I8", 1), std::pair("BOOL", 1), std::pair("BF16", 2)}) {
    const auto header = parse(R"({"a":)" + tensor(name, "3", 0, static_cast<std::uint64_t>(3 * bytes)) + "}",
                              static_cast<std::size_t>(3 * bytes));
    CHECK(trainer::name_of(header.tensors.at("a").type) == std::string(name));
    CHECK(trainer::is_floating(header.tensors.at("a").type) ==
          (std::string(name) == "F64" || std::string(name) == "BF16"));
  }
  check_refused(R"({"a":)" + tensor("F5", "3", 0, 3) + "}", 3, "unknown dtype F5");
}

TEST_CASE("holes, overlaps and lengths that do not fit are refused") {
  const std::string one = R"({"a":)" + tensor("U8", "4", 0, 4);
  CHECK(parse(one + R"(,"b":)" + tensor("U8", "0,7", 4, 4) + "}", 4).tensors.size() == 2);
  check_refused(one + R"(,"b":)" + tensor("U8", "2", 5, 7) + "}", 7, "an overlap or a hole");
  check_refused(one + R"(,"b":)" + tensor("U8", "2", 3, 5) + "}", 5, "an overlap or a hole");
  check_refused(one + "}", 5, "the file holds 5");
  check_refused(one + "}", 3, "the file holds 3");
  check_refused(R"({"a":)" + tensor("F32", "4", 0, 4) + "}", 4, "do not fill");
  check_refused(R"({"a":)" + tensor("U8", "-4", 0, 4) + "}", 4, "not a whole number");
  check_refused(R"({"a":)" + tensor("U8", "4.0", 0, 4) + "}", 4, "not a whole number");
  // No product of lengths leaves 63 bits, whatever stands beside a 0.
  check_refused(R"({"a":)" + tensor("U8", "4000000000,4000000000,4000000000", 0, 0) + "}", 0, "do not fill");
  check_refused(R"({"a":)" + tensor("U8", "0,4000000000,4000000000,4000000000", 0, 0) + "}", 0,
                "do not fill");
}

TEST_CASE("a header longer than its file or than the limit is refused before it is read") {
  common::Bytes start(8);
  common::store_le(90'000'000, 8, start.data());
  CHECK_THROWS_WITH_AS((void)trainer::safetensors_json_bytes(start, 50'000'000, "x"),
                       doctest::Contains("of a file of 50000000"), common::Error);
  CHECK_THROWS_WITH_AS((void)trainer::safetensors_json_bytes(start, 100'000'000, "x"),
                       doctest::Contains("the limit is"), common::Error);
  CHECK_THROWS_AS((void)trainer::safetensors_json_bytes(common::ByteView(start).first(7), 7, "x"),
                  common::Error);
}

TEST_CASE("two tensors or descriptions of one name, and more of them than any model has, are refused") {
  const std::string empty = tensor("U8", "0", 0, 0);
  check_refused(R"({"a":)" + empty + R"(,"a":)" + empty + "}", 0, "two tensors called a");
  check_refused(R"({"__metadata__":{},"__metadata__":{}})", 0, "two __metadata__");
  std::string many = "{";
  for (std::size_t i = 0; i <= trainer::k_tensor_limit; ++i) many += fmt::format("\"{}\":{},", i, empty);
  many.back() = '}';
  check_refused(many, 0, "more than");
  check_refused("{\"" + std::string(2000, 'a') + "\":" + empty + "}", 0, "name has 2000 bytes");
  check_refused(R"({"a":{"dtype":"U8","shape":[)" + std::string(4000, '0') + "]}}", 0, "x.safetensors");
}

TEST_CASE("an index names a plain file of the same folder for each tensor, once") {
  const auto parse_index = [](const std::string& text) { return trainer::parse_weight_map(text, "index"); };
  const auto files =
      parse_index(R"({"metadata": {"total_size": 4}, "weight_map": {"a": "one", "b": "two"}})");
  CHECK(files == std::map<std::string, std::string>{{"a", "one"}, {"b", "two"}});
  for (const char* bad :
       {R"({"weight_map": {"a": "../one"}})", R"({"weight_map": {"a": ""}})",
        R"({"weight_map": {"a": ".hidden"}})", R"({"weight_map": {"a": 1}})", R"({"weight_map": ["one"]})",
        R"({"weight_map": {"a": "one", "a": "two"}})", "{}", "[]"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS((void)parse_index(bad), common::Error);
  }
}
