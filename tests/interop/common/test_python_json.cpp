// Python reads what we write, and we write what Python writes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "common/json.hpp"
#include "common/random.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace {

// What python3 prints for `script`, which finds `input` in the file "input".
std::string python(const std::string& script, const std::string& input) {
  const support::Scratch scratch;
  support::put_file(scratch / "input", input);
  const support::Finished finished = support::run_process({"python3", "-c", script}, scratch.path());
  CHECK(finished.err.empty());
  REQUIRE(finished.code == 0);
  return finished.out;
}

// The first place where the two differ, or an empty string.
std::string difference(const std::string& ours, const std::string& theirs) {
  if (ours == theirs) return {};
  const std::size_t at = static_cast<std::size_t>(
      std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end()).first - ours.begin());
  const std::size_t from = at < 60 ? 0 : at - 60;
  return "at " + std::to_string(at) + ": ours " + ours.substr(from, 120) + " theirs " +
         theirs.substr(from, 120);
}

void append_utf8(std::string& text, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

}  // namespace

TEST_CASE("every finite double is written as Python's repr writes it") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  std::vector<double> values = {
      0, -0.0, 1, -1, 0.1, 30, 1e-4, 9.999999999999999e-5, 1e15, 1e16, 9999999999999998.0};
  for (int exponent = -330; exponent <= 308; ++exponent) values.push_back(std::pow(10.0, exponent));
  for (int exponent = -1074; exponent <= 1023; ++exponent) {
    const double power = std::ldexp(1.0, exponent);
    values.insert(values.end(), {power, std::nextafter(power, 0), std::nextafter(power, INFINITY)});
  }
  common::Random random(1);
  while (values.size() < 60000) {
    values.push_back(std::bit_cast<double>(random.getrandbits(64)));
    values.push_back(std::round(random.uniform(0, 1e6)) / 1000);
    values.push_back(random.uniform() * 2e16);
  }
  std::string input;
  std::string ours;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    input += std::to_string(std::bit_cast<std::uint64_t>(value)) + "\n";
    ours += common::python_repr(value) + "\n";
  }
  const std::string theirs = python(
      "import struct\n"
      "for line in open('input'): print(repr(struct.unpack('<d', struct.pack('<Q', int(line)))[0]))",
      input);
  CHECK(difference(ours, theirs) == "");
}

TEST_CASE("every character of Unicode is escaped as Python's json escapes it") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  common::Json lines = common::Json::array();
  for (std::uint32_t first = 0; first < 0x110000; first += 256) {
    std::string text;
    for (std::uint32_t c = first; c < first + 256; ++c)
      if (c < 0xd800 || c > 0xdfff) append_utf8(text, c);
    lines.push_back(text);
  }
  const std::string theirs = python(
      "import json, sys\n"
      "keep = lambda c: not 0xd800 <= c <= 0xdfff\n"
      "sys.stdout.write(json.dumps([''.join(chr(c) for c in range(i, i + 256) if keep(c))"
      " for i in range(0, 0x110000, 256)]))",
      "");
  CHECK(difference(common::dump_line(lines), theirs) == "");
  // And what we escaped is what we read.
  CHECK(common::parse_json(common::dump_line(lines), "lines") == lines);
}

TEST_CASE("a document is laid out as json.dumps lays it out, on one line and indented") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  const std::string text =
      R"({"z": [], "a": {}, "n": [null, true, false, 0, -7, 9223372036854775807, 1.0, 1e300, 2.5e-7, -0.0],
          "nested": [[[1], []], [{"k": {"l": [{}]}}]], "": "\u0000\b\f\n\r\t\"\\\/é", "s": ["", "a b"]})";
  const common::Json document = common::parse_json(text, "document");
  const std::string load = "import json, sys\nd = json.load(open('input', encoding='utf-8'))\n";
  CHECK(difference(common::dump_pretty(document),
                   python(load + "sys.stdout.write(json.dumps(d, indent=2))", text)) == "");
  CHECK(difference(common::dump_line(document), python(load + "sys.stdout.write(json.dumps(d))", text)) ==
        "");
}

TEST_CASE("draws are those of Python's random, for many seeds and sizes") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no python3");
    return;
  }
  common::Random sizes(2);
  std::string input;
  std::string ours;
  for (int i = 0; i < 300; ++i) {
    const auto seed = static_cast<std::int64_t>(sizes.getrandbits(64) >> sizes.below(60));
    const std::uint64_t population = 1 + sizes.below(i % 3 == 0 ? 30 : 20000);
    const std::uint64_t count = sizes.below(std::min<std::uint64_t>(population, 600) + 1);
    input += std::to_string(seed) + " " + std::to_string(population) + " " + std::to_string(count) + "\n";
    common::Random random(seed);
    for (const std::uint64_t draw : random.sample(population, count)) ours += std::to_string(draw) + " ";
    std::vector<std::uint64_t> items;
    for (std::uint64_t item = 0; item < count; ++item) items.push_back(item);
    random.shuffle(items);
    for (const std::uint64_t item : items) ours += std::to_string(item) + " ";
    // One statement each: the order of the draws is what is compared.
    ours += std::to_string(random.below(population)) + " ";
    ours += std::to_string(random.getrandbits(53)) + " ";
    ours += common::python_repr(random.uniform()) + "\n";
  }
  const std::string theirs = python(
      "import random\n"
      "for line in open('input'):\n"
      "    seed, population, count = map(int, line.split())\n"
      "    r = random.Random(seed)\n"
      "    draws = r.sample(range(population), count)\n"
      "    items = list(range(count))\n"
      "    r.shuffle(items)\n"
      "    print(*draws, *items, r.randrange(population), r.getrandbits(53), repr(r.random()))\n",
      input);
  CHECK(difference(ours, theirs) == "");
}
