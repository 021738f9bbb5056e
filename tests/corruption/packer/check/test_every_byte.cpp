// Every byte of the smallest pack, changed in three ways, and every place at which it can be cut, in every
// form that a pack can have. Under sanitizers a part of them.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <atomic>
#include <cstdio>

#include "common/parallel.hpp"
#include "manifest/format/write.hpp"
#include "packer/archive/archive.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/tar/compression.hpp"
#include "packer/tar/decompress.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

#if defined(SAFE_SANITIZED)
constexpr std::size_t k_step = 23;
#else
constexpr std::size_t k_step = 1;
#endif
constexpr std::array<unsigned char, 3> k_masks{0x01, 0x80, 0xff};
constexpr unsigned k_threads = 2;

// One clip and one picture.
fs::path smallest_pack(const fs::path& root) {
  packer::BuildRequest request = support::small_sources(root);
  support::put(request.manifest,
               manifest::write_subset(support::subset_of("train", {support::clip_entry(1, "train")})));
  support::put(request.val_manifest, manifest::write_vqa(support::vqa_of("val", {support::question(10, 1)})));
  request.retention_manifest.reset();
  request.audio_val_manifest.reset();
  return packer::build_pack(request).location;
}

bool is_clean(packer::Stream& stream) {
  const packer::Examination examination =
      packer::examine_stream(stream, support::quiet_examination(), nullptr);
  return examination.findings.empty();
}

// What stock decoders make of it: nothing where they refuse it, or leave bytes behind its end.
std::optional<std::string> gunzip(const std::string& in, std::size_t size) {
  std::string out(size + 1, '\0');
  z_stream zlib{};
  REQUIRE(::inflateInit2(&zlib, 16 + MAX_WBITS) == Z_OK);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  zlib.avail_in = static_cast<uInt>(in.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  const int code = ::inflate(&zlib, Z_FINISH);
  out.resize(zlib.total_out);
  const bool whole = code == Z_STREAM_END && zlib.avail_in == 0;
  ::inflateEnd(&zlib);
  return whole ? std::optional(out) : std::nullopt;
}
// As a stream, the way the zstd program decodes: so it refuses a window of more than 128 MiB, as Z2 does.
std::optional<std::string> unzstd(const std::string& in, std::size_t size) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(::ZSTD_createDCtx(), ::ZSTD_freeDCtx);
  std::string out(size + 1, '\0');
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  std::size_t left = 1;
  for (std::size_t before = 1; left != 0 && from.pos + to.pos != before;) {
    before = from.pos + to.pos;
    left = ::ZSTD_decompressStream(context.get(), &to, &from);
    if (::ZSTD_isError(left)) return std::nullopt;
  }
  if (left != 0 || from.pos != in.size()) return std::nullopt;
  out.resize(to.pos);
  return out;
}

struct Count {
  std::atomic<std::size_t> cases{0}, clean{0}, wrong{0};
};

// Calls judge(bytes, place) with each damaged copy of `good`, on all threads.
template <typename Judge>
void damage_everywhere(const std::string& good, const Judge& judge) {
  common::parallel_for(k_threads, k_threads, [&](std::size_t thread) {
    std::string bad = good;
    for (std::size_t at = thread * k_step; at < good.size(); at += k_threads * k_step) {
      for (const unsigned char mask : k_masks) {
        bad[at] = static_cast<char>(static_cast<unsigned char>(good[at]) ^ mask);
        judge(bad, thread);
      }
      bad[at] = good[at];
      judge(good.substr(0, at), thread);
    }
  });
}

}  // namespace

TEST_CASE("a .tar is clean only as it was written, in place and as a stream") {
  const support::Scratch scratch;
  (void)packer::archive({smallest_pack(scratch.path()), scratch / "x.tar", 1, common::Verbosity::quiet});
  const std::string good = support::get(scratch / "x.tar");
  support::MemoryStream stream(good);
  REQUIRE(is_clean(stream));
  std::array<common::File, k_threads> files;
  for (common::File& file : files) file = common::File(::memfd_create("x.tar", MFD_CLOEXEC));
  Count count;
  damage_everywhere(good, [&](const std::string& bad, std::size_t thread) {
    support::MemoryStream bytes(bad);
    count.clean += is_clean(bytes) ? 1U : 0U;
    const int place = files[thread].descriptor();
    if (::ftruncate(place, 0) != 0 ||
        ::pwrite(place, bad.data(), bad.size(), 0) != static_cast<ssize_t>(bad.size()))
      ++count.wrong;
    count.clean +=
        packer::examine_tar(files[thread], "x.tar", support::quiet_examination()).findings.empty() ? 1U : 0U;
    count.cases += 2;
  });
  std::printf(".tar of %zu bytes: %zu changes and cuts, %zu clean\n", good.size(), count.cases.load(),
              count.clean.load());
  CHECK(count.clean == 0);
  CHECK(count.wrong == 0);
}

TEST_CASE(
    "a compressed archive is clean exactly where a stock decoder gets the same bytes out of all of it") {
  const support::Scratch scratch;
  const fs::path pack = smallest_pack(scratch.path());
  (void)packer::archive({pack, scratch / "x.tar", 1, common::Verbosity::quiet});
  const std::string tar = support::get(scratch / "x.tar");
  const struct {
    const char* suffix;
    packer::Compression form;
    std::optional<std::string> (*stock)(const std::string&, std::size_t);
  } forms[] = {{".tgz", packer::Compression::gzip, gunzip}, {".tar.zst", packer::Compression::zstd, unzstd}};
  for (const auto& form : forms) {
    const fs::path file = scratch / (std::string("x") + form.suffix);
    (void)packer::archive({pack, file, 1, common::Verbosity::quiet});
    const std::string good = support::get(file);
    REQUIRE(form.stock(good, tar.size()) == tar);
    Count count;
    damage_everywhere(good, [&](const std::string& bad, std::size_t) {
      const auto stream = packer::decompress(form.form, std::make_unique<support::MemoryStream>(bad));
      const bool clean = is_clean(*stream);
      count.wrong += clean != (form.stock(bad, tar.size()) == tar) ? 1U : 0U;
      count.clean += clean ? 1U : 0U;
      ++count.cases;
    });
    std::printf("%s of %zu bytes: %zu changes and cuts, %zu leave the tar bytes as they were and are clean\n",
                form.suffix, good.size(), count.cases.load(), count.clean.load());
    CHECK(count.wrong.load() == 0);
  }
}

TEST_CASE("a folder is clean only as it was built, and the file that was changed or cut is named") {
  const support::Scratch scratch;
  const fs::path pack = smallest_pack(scratch.path());
  const support::Tree tree = support::tree_of(pack);
  std::array<fs::path, k_threads> copies;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    copies[i] = scratch / ("copy" + std::to_string(i));
    fs::copy(pack, copies[i], fs::copy_options::recursive);
  }
  Count count;
  for (const auto& file : tree) {
    const std::string& path = file.first;
    damage_everywhere(file.second, [&](const std::string& bad, std::size_t thread) {
      support::put(copies[thread] / path, bad);
      const common::Findings findings =
          packer::examine_folder(copies[thread], support::quiet_examination()).findings;
      count.clean += findings.empty() ? 1U : 0U;
      // A changed seal changes what is said about the files that it lists; any other file is named itself.
      const bool named = std::any_of(findings.begin(), findings.end(),
                                     [&](const common::Finding& finding) { return finding.path == path; });
      count.wrong += named || path == common::k_seal_name ? 0U : 1U;
      ++count.cases;
    });
    for (const fs::path& copy : copies) support::put(copy / path, file.second);
  }
  std::printf("folder: %zu changes and cuts, %zu clean\n", count.cases.load(), count.clean.load());
  CHECK(count.clean == 0);
  CHECK(count.wrong == 0);
  for (const fs::path& copy : copies)
    CHECK(packer::examine_folder(copy, support::quiet_examination()).findings.empty());
}
