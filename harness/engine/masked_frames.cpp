#include "harness/engine/masked_frames.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "harness/model/joined.hpp"

namespace assay {

namespace {

constexpr std::byte kMask{'*'};

/// A payload as a part of what one side says.
struct Piece {
  std::size_t frame = 0;
  std::int32_t at = 0;  // sequence number less that of the first piece seen
  PacketKey key;
};

using Place = std::tuple<PacketKey::Kind, IpAddress, std::uint16_t, IpAddress, std::uint16_t>;

class Masking {
 public:
  Masking(std::vector<CapturedFrame>& frames, const Concealed& concealed) : frames_(frames), finder_(concealed) {}

  /// Looks through pieces whose bytes follow each other without a gap, sorted by place.
  void search(const std::vector<Piece>& run) {
    std::string text;
    for (const auto& piece : run) {
      const auto skip = text.size() - static_cast<std::size_t>(piece.at - run.front().at);
      if (skip < piece.key.payload_size) {  // else it was sent before
        const auto* begin = reinterpret_cast<const char*>(frames_[piece.frame].bytes.data());
        text.append(begin + piece.key.payload_at + skip, piece.key.payload_size - skip);
      }
    }
    search(text, run);
  }

  /// A piece by itself: what a retransmission says need not be what was said first.
  void search_alone(const Piece& piece) { search({piece}); }

  /// Only now: no search may see a text half written over.
  std::vector<std::string> apply() {
    std::vector<std::string> out(frames_.size());
    for (const auto& [frame, masked] : masked_) {
      auto& bytes = frames_[frame].bytes;
      for (std::size_t i = 0; i < masked.hidden.size(); ++i) {
        auto& byte = bytes[masked.key.payload_at + i];
        byte = masked.hidden[i] ? kMask : byte;
      }
      for (const auto at : masked.key.checksums_at) {
        if (at != 0 && at + 1 < bytes.size()) {
          bytes[at] = bytes[at + 1] = std::byte{0};
        }
      }
      out[frame] = joined(masked.names);
    }
    return out;
  }

 private:
  struct Masked {
    PacketKey key;
    std::vector<bool> hidden;  // by place in the payload
    std::set<std::string> names;
  };

  void search(std::string_view text, const std::vector<Piece>& run) {
    std::map<std::string_view, std::vector<bool>> hidden;  // by whose secret it is
    for (const auto& hit : finder_.hits(text)) {
      auto& places = hidden[*hit.shown];
      places.resize(text.size());
      std::fill_n(places.begin() + static_cast<std::ptrdiff_t>(hit.at), hit.length, true);
    }
    for (const auto& [name, places] : hidden) {
      for (const auto& piece : run) {
        hide(piece, places, static_cast<std::size_t>(piece.at - run.front().at), std::string{name});
      }
    }
  }

  void hide(const Piece& piece, const std::vector<bool>& hidden, std::size_t from, const std::string& name) {
    const auto begin = hidden.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = begin + static_cast<std::ptrdiff_t>(piece.key.payload_size);
    if (std::find(begin, end, true) == end) {
      return;
    }
    auto& masked = masked_[piece.frame];
    masked.key = piece.key;
    masked.hidden.resize(piece.key.payload_size);
    std::transform(begin, end, masked.hidden.begin(), masked.hidden.begin(), std::logical_or<>{});
    masked.names.insert(name);
  }

  std::vector<CapturedFrame>& frames_;
  ConcealedFinder finder_;
  std::map<std::size_t, Masked> masked_;  // by frame
};

/// What one side said over TCP, cut into runs without a gap.
void search_stream(std::vector<Piece> pieces, Masking& masking) {
  std::stable_sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  std::vector<Piece> run;
  std::int64_t end = 0;
  for (const auto& piece : pieces) {
    if (!run.empty() && piece.at > end) {
      masking.search(run);
      run.clear();
    }
    end = run.empty() ? piece.at : end;
    end = std::max(end, std::int64_t{piece.at} + static_cast<std::int64_t>(piece.key.payload_size));
    run.push_back(piece);
  }
  if (!run.empty()) {
    masking.search(run);
  }
}

}  // namespace

std::vector<std::string> mask_frames(std::vector<CapturedFrame>& frames, const std::vector<TapInterface>& interfaces,
                                     const Concealed& concealed) {
  if (concealed.empty()) {
    return std::vector<std::string>(frames.size());
  }
  Masking masking(frames, concealed);
  std::map<Place, std::vector<Piece>> streams;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto key = packet_key(frames[i].bytes, interfaces[frames[i].interface].link);
    if (!key || key->payload_size == 0) {
      continue;
    }
    Piece piece{i, 0, *key};
    masking.search_alone(piece);
    if (key->kind == PacketKey::Kind::tcp && !key->quoted) {
      auto& stream = streams[{key->kind, key->source, key->source_port, key->destination, key->destination_port}];
      const auto first = stream.empty() ? key->sequence : stream.front().key.sequence;
      piece.at = static_cast<std::int32_t>(key->sequence - first);
      stream.push_back(piece);
    }
  }
  for (auto& [place, pieces] : streams) {
    search_stream(std::move(pieces), masking);
  }
  return masking.apply();
}

}  // namespace assay
