#include "trainer/report/tensorboard.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"

namespace trainer {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> k_crc_table = make_crc_table();

std::string little_endian(std::uint64_t value, int bytes) {
  std::array<std::uint8_t, 8> buffer{};
  common::store_le(value, bytes, buffer.data());
  return {buffer.begin(), buffer.begin() + bytes};
}

// A CRC of bytes that hold their own CRC is a constant, so TFRecord rotates and shifts it.
std::string masked_crc(std::string_view bytes) {
  return little_endian(std::rotr(crc32c(bytes), 15) + 0xA282EAD8U, 4);
}

std::string record(const std::string& payload) {
  const std::string length = little_endian(payload.size(), 8);
  return length + masked_crc(length) + payload + masked_crc(payload);
}

// Protocol buffers' wire format: a key of field number and type, then the value.
enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}
std::string key(int field, Wire wire) {
  return varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire));
}
std::string bytes_field(int field, const std::string& value) {
  return key(field, Wire::bytes) + varint(value.size()) + value;
}
std::string double_field(int field, double value) {
  return key(field, Wire::fixed64) + little_endian(std::bit_cast<std::uint64_t>(value), 8);
}
std::string float_field(int field, float value) {
  return key(field, Wire::fixed32) + little_endian(std::bit_cast<std::uint32_t>(value), 4);
}
std::string integer_field(int field, std::int64_t value) {
  return key(field, Wire::varint) + varint(static_cast<std::uint64_t>(value));
}

// Event: wall_time 1, step 2, file_version 3, summary 5. Summary: value 1. Summary.Value: tag 1,
// simple_value 2.
std::string event(std::int64_t step, const std::string& content) {
  return record(double_field(1, static_cast<double>(step)) + integer_field(2, step) + content);
}

std::string scalars(const std::vector<std::pair<std::string, double>>& values) {
  std::string summary;
  for (const auto& [tag, value] : values)
    summary += bytes_field(1, bytes_field(1, tag) + float_field(2, static_cast<float>(value)));
  return bytes_field(5, summary);
}

std::vector<std::pair<std::string, double>> final_values(const RunSummary& run) {
  std::vector<std::pair<std::string, double>> values;
  const common::Json metrics = to_json(run.metrics);
  for (const char* split : {"validation", "training"}) {
    if (!metrics.contains(split)) continue;
    for (const auto& [name, value] : metrics.at(split).items())
      if (value.is_number()) values.emplace_back(std::string(split) + "/" + name, value.get<double>());
  }
  return values;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) crc = (crc >> 8) ^ k_crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

std::string event_file(const RunSummary& run) {
  std::map<std::int64_t, std::vector<std::pair<std::string, double>>> by_step;
  for (const auto& [name, curve] : read_history(run.path))
    for (std::size_t i = 0; i < curve.steps.size(); ++i)
      by_step[curve.steps[i]].emplace_back("train/" + name, curve.values[i]);
  const std::int64_t last = by_step.empty() ? 0 : by_step.rbegin()->first;
  std::string file = event(0, bytes_field(3, "brain.Event:2"));
  for (const auto& [step, values] : by_step) file += event(step, scalars(values));
  return file + event(last, scalars(final_values(run)));
}

void write_event_files(const std::vector<RunSummary>& runs, const std::filesystem::path& folder) {
  for (const RunSummary& run : runs) {
    const std::filesystem::path place = folder / run.name;
    std::error_code failure;
    std::filesystem::create_directories(place, failure);
    if (failure)
      throw common::Error(common::ErrorKind::io, "cannot create the folder " + place.string() + ": " +
                                                     failure.message() + "; name another with --tensorboard");
    common::write_file(place / "events.out.tfevents.0.safe", event_file(run));
  }
}

}  // namespace trainer
