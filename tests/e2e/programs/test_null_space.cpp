#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include "tests/support/small_world.hpp"

using namespace support::small_world;

TEST_CASE("wherever the null space is put, what it protects has not moved when the run ends") {
  const World& w = world();
  for (const std::string placement : {"query", "output", "all"}) {
    CAPTURE(placement);
    World::ok(trainer(w.run("no_retention", placement, {"--null-space", placement, "--num-epochs", "20"})));
    const common::Json metrics = json_of(w.only_run(placement) / "metrics.json");
    CHECK(metrics.at("null_space").size() == (placement == "all" ? 2 + 4 * 2 : 2));
    for (const common::Json& map : metrics.at("null_space")) {
      CAPTURE(map.dump());
      CHECK(map.at("leak") < 1e-5);
      CHECK(map.at("measured_drift") <= map.at("certificate").get<double>() * (1 + 1e-5));
    }
    CHECK(metrics.at("mechanisms").at("null_space").at("largest") > 0);
    CHECK(metrics.at("bit_equal_without_audio") == true);
  }
}

TEST_CASE("a run whose steps avoid the answers' gradients is stopped and goes on to the same bytes") {
  const World& w = world();
  const std::vector<std::string> more = {"--null-space",       "gradient", "--num-epochs",         "30",
                                         "--checkpoint-every", "17",       "--null-space-refresh", "20"};
  World::ok(trainer(w.run("no_retention", "gradient", more)));
  const common::Json metrics = json_of(w.only_run("gradient") / "metrics.json");
  const common::Json& space = metrics.at("null_space").at(0);
  CHECK(space.at("rank") == 64);
  CHECK(space.at("leak") < 1e-5);
  CHECK(space.at("energy") < 1);
  CHECK(metrics.at("mechanisms").at("null_space").at("largest") > 0);

  std::string command;
  for (const std::string& word : w.run("no_retention", "gradient_parts", more))
    command += " " + support::quoted(word);
  // Killed outright: what is left is the last checkpoint.
  const std::string script = "'" + k_bin + "/safe-trainer' --quiet" + command +
                             " & pid=$!; for i in $(seq 600); do n=$(cat '" + w.root +
                             "'/gradient_parts/*/history.jsonl 2>/dev/null | wc -l); [ \"$n\" -ge 25 ] && "
                             "break; sleep 0.02; done; kill -KILL $pid; wait $pid";
  CHECK(support::run_process({"bash", "-c", script}).code == 137);
  std::vector<std::string> again = w.run("no_retention", "gradient_parts", more);
  again.emplace_back("--resume");
  World::ok(trainer(again));
  for (const char* name : {"history.jsonl", "metrics.json", "checkpoints/adapter.safetensors"}) {
    CAPTURE(name);
    CHECK(support::text_of_file(w.only_run("gradient") / name) ==
          support::text_of_file(w.only_run("gradient_parts") / name));
  }
}

#endif
