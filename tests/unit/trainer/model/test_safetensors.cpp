#include <functional>
#include <string>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/safetensors_file.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/model/tensor.hpp"

#include <doctest/doctest.h>

using trainer::TensorFile;

using support::safetensors_file;

namespace {

void check_refused(const common::Bytes& file, const std::string& because) {
  CAPTURE(because);
  try {
    (void)trainer::parse_safetensors(file, "x.safetensors");
    FAIL_CHECK("it was accepted");
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    CHECK(std::string(error.what()).find("x.safetensors") == 0);
    CHECK(std::string(error.what()).find(because) != std::string::npos);
  }
}

TensorFile sample() {
  TensorFile content;
  content.tensors["b.weight"] = torch::arange(6, torch::kFloat32).view({2, 3}).t();
  content.tensors["a.flags"] = torch::tensor({true, false, true});
  content.tensors["wide"] = torch::tensor({1.5, -2.5}, torch::kFloat64);
  content.tensors["half"] = torch::tensor({1.0, 2.0, 3.0}).to(torch::kFloat16);
  content.tensors["brain"] = torch::tensor({1.0}).to(torch::kBFloat16);
  content.tensors["scalar"] = torch::tensor(7, torch::kInt64).squeeze();
  content.tensors["empty"] = torch::empty({0, 4});
  content.tensors["int"] = torch::tensor({-3}, torch::kInt32);
  content.tensors["byte"] = torch::tensor({255}, torch::kUInt8);
  content.metadata["format"] = "pt";
  content.metadata["quote\""] = "\xC3\xA9\n";
  return content;
}

}  // namespace

TEST_CASE("what is written is read back: every dtype, shape and text of the metadata") {
  const auto content = sample();
  const auto back = trainer::parse_safetensors(trainer::format_safetensors(content), "x");
  CHECK(back.metadata == content.metadata);
  REQUIRE(back.tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    CAPTURE(name);
    CHECK((back.tensors.at(name).scalar_type() == tensor.scalar_type()));
    CHECK(back.tensors.at(name).sizes() == tensor.sizes());
    CHECK(back.tensors.at(name).equal(tensor));
  }
}

TEST_CASE(
    "the same tensors give the same bytes, and every tensor begins at a multiple of its element's size") {
  const auto file = trainer::format_safetensors(sample());
  CHECK(file == trainer::format_safetensors(sample()));
  const auto header = trainer::parse_safetensors_header(file, file.size(), "x");
  CHECK(header.data_offset % 8 == 0);
  for (const auto& [name, entry] : header.tensors) CHECK(entry.begin % trainer::bytes_of(entry.type) == 0);
}

TEST_CASE("a file that is cut anywhere is refused") {
  const auto file = trainer::format_safetensors(sample());
  for (std::size_t size = 0; size < file.size(); ++size)
    CHECK_THROWS_AS((void)trainer::parse_safetensors({file.data(), size}, "x"), common::Error);
}

TEST_CASE("a header with a byte changed is refused or describes tensors that lie within the file") {
  const auto file = trainer::format_safetensors(sample());
  const auto data_offset = trainer::parse_safetensors_header(file, file.size(), "x").data_offset;
  for (std::size_t at = 0; at < data_offset; ++at)
    for (const int change : {0x01, 0x10, 0x80, 0xFF}) {
      auto damaged = file;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ change);
      try {
        const auto content = trainer::parse_safetensors(damaged, "x");
        std::uint64_t bytes = 0;
        for (const auto& [name, tensor] : content.tensors) bytes += tensor.nbytes();
        CHECK(bytes == file.size() - data_offset);
      } catch (const common::Error&) {
        continue;
      }
    }
}

TEST_CASE("headers that lie are refused, each for its reason") {
  check_refused(
      safetensors_file(
          R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          8),
      "overlap");
  check_refused(safetensors_file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "hole");
  check_refused(safetensors_file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8),
                "the file holds 8");
  check_refused(
      safetensors_file(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          4),
      "two tensors called a");
  check_refused(safetensors_file(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
                "do not fill");
  check_refused(
      safetensors_file(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
      "do not fill");
  check_refused(safetensors_file(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
                "whole number");
  check_refused(safetensors_file(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}})", 6),
                "whole number");
  check_refused(safetensors_file(R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", 4),
                "F8_E4M3");
  check_refused(safetensors_file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", 4),
                "dtype, shape");
  check_refused(safetensors_file(R"({"__metadata__":{"a":1}})", 0), "not a string");
  check_refused(safetensors_file(R"( {})", 0), "begin with '{'");
  check_refused(safetensors_file("", 4), "begin with '{'");
  auto huge = safetensors_file("{}", 0);
  common::store_le(~std::uint64_t{0}, 8, huge.data());
  check_refused(huge, "of a file of");
  common::store_le(50'000'000, 8, huge.data());
  check_refused(huge, "of a file of");
  auto flag = safetensors_file(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 1);
  flag.back() = 2;
  check_refused(flag, "neither 0 nor 1");
}

TEST_CASE("a folder of shards reads as one file would, and an index that lies is refused") {
  const support::Scratch folder;
  trainer::write_safetensors(folder / "one.safetensors", {{{"a", torch::ones({2})}}, {}});
  trainer::write_safetensors(folder / "two.safetensors", {{{"b", torch::zeros({3})}}, {}});
  const auto index = folder / "model.safetensors.index.json";
  common::write_file(index,
                     std::string_view(R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})"));
  const trainer::ModelFolder model(folder.path());
  const trainer::SafetensorsFolder shards(model);
  CHECK(shards.names() == std::vector<std::string>{"a", "b"});
  std::map<std::string, torch::Tensor> read;
  shards.read({"a", "b"}, [&](const std::string& name, const torch::Tensor& tensor) { read[name] = tensor; });
  CHECK(read.at("a").equal(torch::ones({2})));
  CHECK(read.at("b").equal(torch::zeros({3})));
  trainer::write_safetensors(folder / "model.safetensors", {{{"a", torch::zeros({2})}}, {}});
  CHECK_THROWS_WITH_AS((void)trainer::SafetensorsFolder(model), doctest::Contains("two sets of weights"),
                       common::Error);
  std::filesystem::remove(folder / "model.safetensors");
  for (const auto* map :
       {R"({"weight_map":{"a":"two.safetensors"}})", R"({"weight_map":{"a":"../one.safetensors"}})",
        R"({"weight_map":{"a":7}})", R"({"weight_map":[]})", R"({"weight_map":{"a":"gone.safetensors"}})"}) {
    common::write_file(index, std::string_view(map));
    CHECK_THROWS_AS(trainer::SafetensorsFolder{trainer::ModelFolder(folder.path())}, common::Error);
  }
}
