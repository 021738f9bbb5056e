// A signature that is required and does not hold is the only thing that is said of a pack, in every form.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "common/error.hpp"
#include "manifest/format/write.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/check/sign.hpp"
#include "packer/check/verify.hpp"
#include "packer/tar/ustar.hpp"
#include "tests/support/format_rules.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

const std::string k_signature = "SHA256SUMS.sig";

struct Sample {
  support::Scratch scratch;
  fs::path pack, key;
  packer::ExamineRequest request;
  Sample() {
    pack = packer::build_pack(support::small_sources(scratch.path())).location;
    const packer::KeyFiles files = packer::keygen(scratch / "KEY.pem");
    key = files.secret;
    (void)packer::sign_pack({pack, key, 1, common::Verbosity::quiet});
    request.threads = 1;
    request.verbosity = common::Verbosity::quiet;
    request.trusted_key = common::read_public_key(files.public_half);
  }
  [[nodiscard]] std::string signature() const { return support::get(pack / k_signature); }
  // The rules that a pack at `path` breaks.
  [[nodiscard]] std::set<std::string> judge(const fs::path& path) const {
    std::set<std::string> rules;
    for (const common::Finding& finding : packer::verify(path, request).findings) rules.insert(finding.rule);
    return rules;
  }
  [[nodiscard]] std::string archive(const std::string& name) const {
    (void)packer::archive({pack, scratch / name, 1, common::Verbosity::quiet});
    return support::get(scratch / name);
  }
};

std::string flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

const std::set<std::string> k_untrusted{"E2"};

}  // namespace

TEST_CASE("any one flipped bit of the signature is all that is found, in a folder and in a .tar") {
  const Sample sample;
  REQUIRE(sample.judge(sample.pack).empty());
  const std::string good = sample.signature(), tar = sample.archive("x.tar");
  const std::size_t in_tar = tar.find(good);
  REQUIRE(in_tar != std::string::npos);
  std::size_t cases = 0, wrong = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    support::put(sample.pack / k_signature, flipped(good, bit));
    wrong += sample.judge(sample.pack) == k_untrusted ? 0 : 1;
    support::put(sample.scratch / "bad.tar", flipped(tar, 8 * in_tar + bit));
    wrong += sample.judge(sample.scratch / "bad.tar") == k_untrusted ? 0 : 1;
    cases += 2;
  }
  std::printf("signature: %zu flipped bits, %zu not refused as untrusted\n", cases, wrong);
  CHECK(wrong == 0);
}

TEST_CASE("signatures cut, lengthened, empty or gone are refused as untrusted, in every form") {
  const Sample sample;
  const std::string good = sample.signature();
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 32, 63, 65, 128, 1 << 20}) {
    CAPTURE(size);
    std::string bad = good;
    bad.resize(size, 's');
    support::put(sample.pack / k_signature, bad);
    CHECK(sample.judge(sample.pack) == std::set<std::string>{"E2", "S7"});
  }
  fs::remove(sample.pack / k_signature);
  CHECK(sample.judge(sample.pack) == k_untrusted);
  for (const char* name : {"x.tar", "x.tgz", "x.tar.zst"}) {
    (void)sample.archive(name);
    CHECK(sample.judge(sample.scratch / name) == k_untrusted);
  }
  fs::create_directory(sample.pack / k_signature);
  CHECK(sample.judge(sample.pack) == k_untrusted);
  fs::remove(sample.pack / k_signature);
  support::put(sample.scratch / "aside", good);
  fs::create_symlink(sample.scratch / "aside", sample.pack / k_signature);
  CHECK(sample.judge(sample.pack) == k_untrusted);
  fs::remove(sample.pack / k_signature);
  REQUIRE(::mkfifo((sample.pack / k_signature).c_str(), 0644) == 0);
  CHECK(sample.judge(sample.pack) == k_untrusted);
}

TEST_CASE("an archive's signature of another size is refused as untrusted") {
  const Sample sample;
  const std::string good = sample.signature(), tar = sample.archive("x.tar");
  const std::size_t at = tar.find(good) - packer::k_block_bytes;
  const std::size_t content_end =
      (tar.find_last_not_of('\0') / packer::k_block_bytes + 1) * packer::k_block_bytes;
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 63, 65, 513}) {
    CAPTURE(size);
    std::string bytes = good;
    bytes.resize(size, 's');
    const packer::UstarHeader header = packer::ustar_header("data_pack/" + k_signature, size);
    std::string bad =
        tar.substr(0, at) + std::string(header.begin(), header.end()) + bytes +
        std::string(static_cast<std::size_t>(packer::padding_after(size)), '\0') +
        tar.substr(at + 2 * packer::k_block_bytes, content_end - at - 2 * packer::k_block_bytes);
    bad.append(static_cast<std::size_t>(packer::trailer_after(bad.size())), '\0');
    support::put(sample.scratch / "bad.tar", bad);
    CHECK(sample.judge(sample.scratch / "bad.tar") == std::set<std::string>{"E2", "S7"});
    // Whoever requires no signature is told about its size, and about nothing else.
    packer::ExamineRequest anybody = sample.request;
    anybody.trusted_key.reset();
    const common::Findings findings = packer::verify(sample.scratch / "bad.tar", anybody).findings;
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].rule == "S7");
  }
}

TEST_CASE("a good signature of another pack, or by another key, is refused as untrusted") {
  const Sample sample;
  const Sample other;
  // The same content, so the same id; only the key differs.
  REQUIRE(support::get(sample.pack / "SHA256SUMS") == support::get(other.pack / "SHA256SUMS"));
  support::put(sample.pack / k_signature, other.signature());
  CHECK(sample.judge(sample.pack) == k_untrusted);
  CHECK(other.judge(sample.pack).empty());

  fs::remove(other.pack / k_signature);
  support::replace_file(other.pack, "val_manifest.json",
                        manifest::write_vqa(support::vqa_of(
                            "small_val", {support::question(12, 1), support::question(20, 2)})));
  support::edit_info(other.pack, [](packer::PackInfo& info) {
    for (packer::RecipeInput& input : info.inputs)
      if (input.role == packer::Role::val_manifest) input.asked = input.packed = 2;
  });
  (void)packer::sign_pack({other.pack, sample.key, 1, common::Verbosity::quiet});
  REQUIRE(sample.judge(other.pack).empty());
  support::put(sample.pack / k_signature, other.signature());
  CHECK(sample.judge(sample.pack) == k_untrusted);
}

TEST_CASE(
    "after any one changed byte of a signed .tar it is not clean, and untrusted where that byte vouches") {
  const Sample sample;
  const std::string tar = sample.archive("x.tar");
  const std::size_t seal_begin = packer::k_block_bytes, signature_begin = tar.find(sample.signature());
  const std::size_t seal_end = seal_begin + support::get(sample.pack / "SHA256SUMS").size();
  const std::size_t signature_end = signature_begin + common::k_signature_bytes;
  const fs::path file = sample.scratch / "bad.tar";
  std::size_t cases = 0, clean = 0, misjudged = 0;
  for (std::size_t at = 0; at < tar.size(); at += at < signature_end ? 1 : 61) {
    support::put(file, flipped(tar, 8 * at + at % 8));
    const std::set<std::string> rules = sample.judge(file);
    // Two headers, the seal and the signature; the padding behind the seal is not signed.
    const bool vouches =
        at < seal_end || (at >= signature_begin - packer::k_block_bytes && at < signature_end);
    clean += rules.empty() ? 1 : 0;
    misjudged += (rules.count("E2") == 1) == vouches ? 0 : 1;
    ++cases;
  }
  std::printf("signed .tar: %zu flipped bytes, %zu clean, %zu misjudged\n", cases, clean, misjudged);
  CHECK(clean == 0);
  CHECK(misjudged == 0);
}

TEST_CASE("an archive that ends before its signature does is untrusted, one that ends behind it is damaged") {
  const Sample sample;
  const std::string tar = sample.archive("x.tar");
  const std::size_t end = tar.find(sample.signature()) + common::k_signature_bytes;
  for (std::size_t size = 0; size < tar.size(); size += size < end ? 31 : 509) {
    CAPTURE(size);
    support::put(sample.scratch / "bad.tar", tar.substr(0, size));
    const std::set<std::string> rules = sample.judge(sample.scratch / "bad.tar");
    CHECK_FALSE(rules.empty());
    CHECK((rules.count("E2") == 1) == (size < end));
  }
}

TEST_CASE("of an untrusted pack nothing else is parsed, whatever is wrong with it") {
  const Sample sample;
  const std::string seal = support::get(sample.pack / "SHA256SUMS");
  const auto damage_all = [&](const fs::path& pack) {
    support::put(pack / "pack.json", std::string("{"));
    support::put(pack / "stray", std::string("x"));
    fs::create_directories(pack / "empty");
    fs::remove(pack / "README.txt");
  };
  // Right over a seal that lists something else than is there: the damage is told.
  damage_all(sample.pack);
  const std::set<std::string> rules = sample.judge(sample.pack);
  CHECK(rules.count("E2") == 0);
  CHECK(rules.size() >= 4);
  for (const std::string& garbled :
       {seal + "x", seal.substr(1), std::string("\0\1\2", 3), std::string(), "../../x" + seal}) {
    support::put(sample.pack / "SHA256SUMS", garbled);
    CHECK(sample.judge(sample.pack) == k_untrusted);
  }
  fs::remove(sample.pack / "SHA256SUMS");
  CHECK(sample.judge(sample.pack) == k_untrusted);
  fs::remove_all(sample.pack);
  fs::create_directory(sample.pack);
  CHECK(sample.judge(sample.pack) == k_untrusted);
}

TEST_CASE(
    "flips of a compressed signed archive are findings, or leave the pack and its signature as they were") {
  const Sample sample;
  const std::string id = packer::verify(sample.pack, sample.request).id->hex();
  for (const char* name : {"x.tgz", "x.tar.zst"}) {
    const std::string good = sample.archive(name);
    const fs::path file = sample.scratch / (std::string("bad_") + name);
    std::size_t cases = 0, same = 0, wrong = 0, untrusted = 0;
    for (std::size_t at = 0; at < good.size(); at += 5) {
      support::put(file, flipped(good, 8 * at + at % 8));
      const packer::Report report = packer::verify(file, sample.request);
      ++cases;
      untrusted += common::kind_of(report.findings) == common::ErrorKind::signature ? 1 : 0;
      if (!report.findings.empty()) continue;
      ++same;
      wrong += report.id->hex() == id && report.signature == packer::SignatureState::good ? 0 : 1;
    }
    std::printf("signed %s: %zu flipped bytes, %zu left the pack as it was, %zu were untrusted\n", name,
                cases, same, untrusted);
    CHECK(wrong == 0);
    CHECK(untrusted > 0);
  }
}

TEST_CASE("every MUST about what the user expects has a rejecting case here") {
  const Sample sample;
  const struct {
    const char* rule;
    std::function<void(packer::ExamineRequest&)> expect;
  } cases[] = {
      {"E1", [](packer::ExamineRequest& request) { request.expected_id = common::Digest(); }},
      {"E2",
       [](packer::ExamineRequest& request) {
         request.trusted_key = common::SecretKey::generate().public_key();
       }},
  };
  std::set<std::string> tested;
  for (const auto& row : cases) {
    packer::ExamineRequest request = sample.request;
    row.expect(request);
    const common::Findings findings = packer::verify(sample.pack, request).findings;
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].rule == row.rule);
    tested.insert(row.rule);
  }
  CHECK(support::rules_with_must("E") == tested);
}

TEST_CASE("where neither the id nor the signature is the expected one, the signature decides") {
  const Sample sample;
  packer::ExamineRequest request = sample.request;
  request.expected_id = common::Digest();
  request.trusted_key = common::SecretKey::generate().public_key();
  const common::Findings findings = packer::verify(sample.pack, request).findings;
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rule == "E2");
}
