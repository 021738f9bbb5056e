#include "packer/export/webdataset.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <variant>

#include "common/error.hpp"
#include "common/json.hpp"
#include "common/parallel.hpp"
#include "common/sealed/draft.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "packer/export/export_summary.hpp"
#include "packer/tar/tar_writer.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using common::Json;

struct Sample {
  std::string key;
  std::string suffix;                                     // of the media file, ".wav"
  const PackFile* media = nullptr;                        // null: text alone
  const manifest::ClipEntry* clip = nullptr;              // a clip or a caption
  std::vector<const manifest::QuestionEntry*> questions;  // about the picture
};

// The samples of one manifest, in its order.
struct Split {
  std::string name;
  std::vector<Sample> samples;
};

struct Shard {
  common::PackPath path;
  const Split* split = nullptr;
  std::size_t first = 0, count = 0;
};

// Manifests that samples point into.
struct Rows {
  manifest::SubsetManifest clips;
  std::optional<manifest::SubsetManifest> audio_val;
  manifest::VqaManifest val;
  std::optional<manifest::VqaManifest> retention, base, unlike;
};

std::string text_of(const VerifiedPack& pack, const char* name) {
  return std::string(common::text_of(pack.read(common::PackPath(name))));
}

Rows read_rows(const VerifiedPack& pack) {
  const auto subset = [&](const char* name) { return manifest::parse_subset(text_of(pack, name), name); };
  const auto vqa = [&](const char* name) { return manifest::parse_vqa(text_of(pack, name), name); };
  const auto has = [&](const char* name) { return pack.contains(common::PackPath(name)); };
  Rows rows{subset("manifest.json"), {}, vqa("val_manifest.json"), {}, {}, {}};
  if (has("audio_val_manifest.json")) rows.audio_val = subset("audio_val_manifest.json");
  if (has("retention_manifest.json")) rows.retention = vqa("retention_manifest.json");
  if (has("base_manifest.json")) rows.base = vqa("base_manifest.json");
  if (has("unlike_manifest.json")) rows.unlike = vqa("unlike_manifest.json");
  return rows;
}

const PackFile& file_of(const VerifiedPack& pack, const std::string& path) {
  const auto at = index_of(pack.files(), path);
  ENSURE(at);  // M2 of a verified pack
  return pack.files()[*at];
}

Sample media_sample(const PackFile& file) {
  const std::string& path = file.path.text();
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  Sample sample;
  sample.key = name.substr(0, dot);
  sample.suffix = name.substr(dot);
  sample.media = &file;
  return sample;
}

Split clip_split(const VerifiedPack& pack, const char* name, const manifest::SubsetManifest& manifest) {
  Split split{name, {}};
  for (const manifest::ClipEntry& entry : manifest.entries) {
    split.samples.push_back(media_sample(file_of(pack, entry.audio_relpath)));
    split.samples.back().clip = &entry;
  }
  return split;
}

// A picture that several questions ask about is one sample, where the first of them stands.
Split image_split(const VerifiedPack& pack, const char* name, const manifest::VqaManifest& manifest) {
  Split split{name, {}};
  std::map<std::string_view, std::size_t> sample_of;
  for (const manifest::QuestionEntry& entry : manifest.entries) {
    const auto [at, is_new] = sample_of.emplace(entry.image_filename, split.samples.size());
    if (is_new) split.samples.push_back(media_sample(file_of(pack, image_path(entry))));
    split.samples[at->second].questions.push_back(&entry);
  }
  return split;
}

Split caption_split(const manifest::VqaManifest& base) {
  Split split{"base_captions", {}};
  for (const manifest::ClipEntry& caption : base.captions) {
    Sample sample;
    sample.key = caption.caption_id;
    sample.clip = &caption;
    split.samples.push_back(std::move(sample));
  }
  return split;
}

// WebDataset ends a key at the first dot of a name, and begins a new sample where the key changes.
void refuse_keys(const Split& split) {
  std::set<std::string_view> keys;
  for (const Sample& sample : split.samples) {
    const bool bad = sample.key.find('.') != std::string::npos || !keys.insert(sample.key).second ||
                     !common::why_not_a_pack_path(sample.key + ".json").empty();
    if (bad)
      throw Error(
          ErrorKind::mismatch,
          fmt::format("WebDataset has no key for {} of {}: a key is letters, digits, - and _, without a "
                      "dot, and stands once; rename the file and build the pack again",
                      common::escape_for_terminal(sample.key), split.name));
  }
}

// A loader that makes columns of a split's keys, as datasets does, takes samples of one form of media only.
std::vector<Split> by_form(Split split) {
  std::map<std::string, Split> parts;  // by suffix
  for (Sample& sample : split.samples) parts[sample.suffix].samples.push_back(std::move(sample));
  std::vector<Split> forms;
  for (auto& [suffix, part] : parts) {
    part.name = parts.size() == 1 ? split.name : split.name + "-" + suffix.substr(1);
    forms.push_back(std::move(part));
  }
  return forms;
}

std::vector<Split> list_splits(const VerifiedPack& pack, const Rows& rows) {
  std::vector<Split> splits;
  splits.push_back(clip_split(pack, "subset", rows.clips));
  if (rows.audio_val) splits.push_back(clip_split(pack, "audio_val", *rows.audio_val));
  splits.push_back(image_split(pack, "val", rows.val));
  if (rows.retention) splits.push_back(image_split(pack, "retention", *rows.retention));
  if (rows.base) splits.push_back(image_split(pack, "base", *rows.base));
  if (rows.base && !rows.base->captions.empty()) splits.push_back(caption_split(*rows.base));
  if (rows.unlike) splits.push_back(image_split(pack, "unlike", *rows.unlike));
  std::vector<Split> parts;
  for (Split& split : splits) {
    refuse_keys(split);
    for (Split& part : by_form(std::move(split))) parts.push_back(std::move(part));
  }
  return parts;
}

std::string json_of(const Sample& sample) {
  Json row = Json::object();
  if (sample.clip != nullptr) row = manifest::row_of(*sample.clip);
  if (sample.clip != nullptr && sample.media == nullptr) row.erase("audio_relpath");
  if (sample.media != nullptr) {
    row["path"] = sample.media->path.text();
    row["sha256"] = sample.media->digest.hex();
  }
  if (!sample.questions.empty()) {
    Json& questions = row["questions"] = Json::array();
    for (const manifest::QuestionEntry* entry : sample.questions)
      questions.push_back(manifest::row_of(*entry));
  }
  return common::dump_line(row);
}

// The text of a sample's caption; null where it has none.
const std::string* caption_of(const Sample& sample) {
  return sample.clip == nullptr ? nullptr : &sample.clip->caption;
}

std::uint64_t tar_bytes(const Sample& sample) {
  std::uint64_t bytes = member_bytes(json_of(sample).size());
  if (sample.media != nullptr) bytes += member_bytes(sample.media->bytes);
  if (const std::string* caption = caption_of(sample)) bytes += member_bytes(caption->size());
  return bytes;
}

std::vector<Shard> list_shards(const std::vector<Split>& splits, std::uint64_t shard_bytes) {
  std::vector<Shard> shards;
  for (const Split& split : splits) {
    std::uint64_t filled = 0;
    std::size_t number = 0;
    for (std::size_t i = 0; i < split.samples.size(); ++i) {
      const std::uint64_t bytes = tar_bytes(split.samples[i]);
      if (i == 0 || filled + bytes > shard_bytes) {
        shards.push_back(
            {common::PackPath(fmt::format("{}-{:06d}.tar", split.name, number++)), &split, i, 0});
        filled = 0;
      }
      ++shards.back().count;
      filled += bytes;
    }
  }
  return shards;
}

class TakeSink : public common::Sink {
 public:
  explicit TakeSink(const common::Draft::TakeText& take) : take_(take) {}
  void write(common::ByteView bytes) override { take_(common::text_of(bytes)); }
  void finish() override {}

 private:
  const common::Draft::TakeText& take_;
};

void write_shard(const VerifiedPack& pack, const Shard& shard, const common::Draft::TakeText& take) {
  TakeSink sink(take);
  TarWriter tar(sink, "");
  for (std::size_t i = shard.first; i < shard.first + shard.count; ++i) {
    const Sample& sample = shard.split->samples[i];
    if (sample.media != nullptr) tar.whole(sample.key + sample.suffix, pack.read(sample.media->path));
    tar.whole(sample.key + ".json", common::view_of(json_of(sample)));
    if (const std::string* caption = caption_of(sample))
      tar.whole(sample.key + ".txt", common::view_of(*caption));
  }
  tar.end();
}

// What a reader asks first: which pack, which shards, how many samples. The braces are what WebDataset
// expands.
std::string describe(const VerifiedPack& pack, const std::vector<Split>& splits,
                     const std::vector<Shard>& shards) {
  Json root{{"pack_id", pack.id().hex()}, {"name", pack.name()}, {"splits", Json::object()}};
  for (const Split& split : splits) {
    std::size_t count = 0;
    for (const Shard& shard : shards) count += shard.split == &split ? 1 : 0;
    root["splits"][split.name] = {{"shards", fmt::format("{}-{{000000..{:06d}}}.tar", split.name, count - 1)},
                                  {"samples", split.samples.size()}};
  }
  return common::dump_pretty(root) + "\n";
}

}  // namespace

ExportSummary export_webdataset(const VerifiedPack& pack, const WebDatasetRequest& request) {
  common::check_replaceable(request.out, common::never_replaceable());
  const Rows rows = read_rows(pack);
  const std::vector<Split> splits = list_splits(pack, rows);
  const std::vector<Shard> shards = list_shards(splits, request.shard_bytes);
  std::vector<common::SumsLine> sums(shards.size());
  ExportSummary summary;
  common::Draft draft(request.out, common::never_replaceable());
  draft.remove_all_but([](const std::string&) { return false; });
  common::Progress progress("exporting", "shards", shards.size(), request.verbosity);
  std::vector<std::uint64_t> bytes(shards.size());
  common::parallel_for(shards.size(), request.threads, [&](std::size_t i) {
    const common::FileDigest written = draft.put_text(
        shards[i].path, [&](const common::Draft::TakeText& take) { write_shard(pack, shards[i], take); });
    sums[i] = {shards[i].path, written.digest};
    bytes[i] = written.size;
    progress.add(1);
  });
  const auto put = [&](std::string_view name, const std::string& text) {
    const common::PackPath path(name);
    draft.put(path, common::view_of(text), common::digest_of(text));
    bytes.push_back(text.size());
    return common::SumsLine{path, common::digest_of(text)};
  };
  sums.push_back(put("dataset.json", describe(pack, splits, shards)));
  std::sort(sums.begin(), sums.end());
  (void)put(common::k_seal_name, common::write_sums(sums));
  draft.publish();
  for (const std::uint64_t size : bytes) summary.bytes += size;
  summary.files = bytes.size();
  return summary;
}

}  // namespace packer
