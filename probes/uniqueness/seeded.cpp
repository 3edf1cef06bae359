#include <algorithm>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

#include "probes/uniqueness/encodings.hpp"
#include "probes/uniqueness/spellings.hpp"
#include "probes/uniqueness/texts.hpp"

/// What well-known generators of random numbers give when an identifier is their seed.
namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kDraws = 64;       // as long a password as anybody prints
constexpr std::size_t kInARow = 4;       // numbers that are written one behind the other
constexpr std::size_t kFullDigits = 10;  // of a number of 32 bits

using Draws = std::vector<std::uint32_t>;

struct Generator {
  const char* name;
  unsigned bits;  // of each number
  Draws (*draw)(std::uint64_t seed);
};

/// s' = a s + c; a number is what stands above the lowest `dropped` bits of the state, cut to so many bits.
struct Congruential {
  std::uint64_t a;
  std::uint64_t c;
  std::uint64_t mask;  // of the state
  unsigned dropped;
  unsigned bits;
};

Draws drawn_by(const Congruential& one, std::uint64_t state) {
  Draws out;
  for (std::size_t i = 0; i < kDraws; ++i) {
    state = (one.a * state + one.c) & one.mask;
    out.push_back(static_cast<std::uint32_t>((state >> one.dropped) & ((std::uint64_t{1} << one.bits) - 1)));
  }
  return out;
}

constexpr std::uint64_t k31Bits = 0x7FFF'FFFF;
constexpr std::uint64_t k32Bits = 0xFFFF'FFFF;
constexpr std::uint64_t k48Bits = 0xFFFF'FFFF'FFFF;
constexpr std::uint64_t k64Bits = ~std::uint64_t{0};
constexpr std::uint64_t kKnuth = 6364136223846793005;
constexpr std::uint64_t kJava = 0x5DEECE66D;

/// The library's own, with a state of its own: the additive generator that srand() and rand() of Linux use.
Draws gnu(std::uint64_t seed) {
  constexpr std::size_t kState = 128;  // what rand() has
  alignas(std::int32_t) char state[kState] = {};
  random_data data{};
  Draws out;
  if (initstate_r(static_cast<unsigned>(seed), state, kState, &data) == 0) {
    for (std::int32_t number = 0; out.size() < kDraws && random_r(&data, &number) == 0;) {
      out.push_back(static_cast<std::uint32_t>(number));
    }
  }
  return out;
}

/// Of a library's generator, whose seed has 32 bits: std::minstd_rand0, std::mt19937 …
template <class Engine>
Draws standard(std::uint64_t seed) {
  Engine engine{static_cast<typename Engine::result_type>(seed & k32Bits)};
  Draws out;
  for (std::size_t i = 0; i < kDraws; ++i) {
    out.push_back(static_cast<std::uint32_t>(engine()));
  }
  return out;
}

Draws php(std::uint64_t seed) {
  auto out = standard<std::mt19937>(seed);
  for (auto& number : out) {
    number >>= 1U;
  }
  return out;
}

constexpr Generator kGenerators[] = {
    {"rand() of the GNU C library", 31, &gnu},
    {"rand() as the C standard shows it", 15,
     [](std::uint64_t seed) {
       return drawn_by({1103515245, 12345, k32Bits, 16, 15}, seed);
     }},
    {"the generator 1103515245 x + 12345 modulo 2^31", 31,
     [](std::uint64_t seed) {
       return drawn_by({1103515245, 12345, k31Bits, 0, 31}, seed);
     }},
    {"rand() of Microsoft C", 15,
     [](std::uint64_t seed) {
       return drawn_by({214013, 2531011, k32Bits, 16, 15}, seed);
     }},
    {"the generator 1664525 x + 1013904223 modulo 2^32", 32,
     [](std::uint64_t seed) {
       return drawn_by({1664525, 1013904223, k32Bits, 0, 32}, seed);
     }},
    {"the generator 16807 x modulo 2^31 - 1", 31, &standard<std::minstd_rand0>},
    {"the generator 48271 x modulo 2^31 - 1", 31, &standard<std::minstd_rand>},
    {"Random of Java", 31,
     [](std::uint64_t seed) {
       return drawn_by({kJava, 11, k48Bits, 17, 31}, seed ^ kJava);
     }},
    {"rand() of musl", 31,
     [](std::uint64_t seed) {
       return drawn_by({kKnuth, 1, k64Bits, 33, 31}, (seed - 1) & k32Bits);
     }},
    {"rand() of newlib", 31,
     [](std::uint64_t seed) {
       return drawn_by({kKnuth, 1, k64Bits, 32, 31}, seed & k32Bits);
     }},
    {"the Mersenne Twister", 32, &standard<std::mt19937>},
    {"mt_rand() of PHP", 31, &php},
};

struct Seed {
  std::string what;
  std::uint64_t number;
};

/// Numbers that a program reads out of an identifier.
std::vector<Seed> seeds_of(const Value& value) {
  constexpr std::size_t kMostDigits = 18;
  std::vector<Seed> out;
  for (const auto& one : value.identifiers) {
    const auto plain = folded(alphanumeric(one.text));
    if (one.kind == "mac" && plain.size() == kMacDigits && is_hex(plain)) {
      const auto number = std::stoull(plain, nullptr, 16);
      out.push_back({"the mac", number});
      out.push_back({"the last 4 octets of the mac", number & k32Bits});
      out.push_back({"the last 3 octets of the mac", number & 0xFFFFFFU});
    } else if (one.kind == "serial") {
      const auto digits = digits_alone(plain);
      if (digits.size() >= 2 && digits.size() <= kMostDigits) {
        out.push_back({"the digits of the serial", std::stoull(digits)});
      }
      if (is_hex(plain) && digits != plain) {
        out.push_back({"the serial in hexadecimal", std::stoull(plain, nullptr, 16)});
      }
    }
  }
  return out;
}

std::string padded(std::uint32_t number) {
  const auto digits = std::to_string(number);
  return std::string(kFullDigits - digits.size(), '0') + digits;
}

void add_numbers_of(Texts& out, const std::string& way, const Draws& draws) {
  std::string decimal;
  std::string hex;
  for (std::size_t i = 0; i < kInARow; ++i) {
    decimal += std::to_string(draws[i]);
    hex += to_hex(draws[i], 8);
  }
  add(out, way + ", its numbers in decimal", decimal);
  add(out, way + ", its numbers in hexadecimal", hex);
  add(out, way + ", its first number in decimal", padded(draws.front()));
}

/// rand() % 62, and 62 * rand() / RAND_MAX as far as both differ.
void add_picked(Texts& out, const std::string& way, std::span<const std::uint32_t> draws, unsigned bits) {
  for (const auto& letters : usual_letters()) {
    std::string remainders;
    std::string shares;
    for (const auto number : draws) {
      remainders += letters.all[number % letters.all.size()];
      shares += letters.all[static_cast<std::size_t>((std::uint64_t{number} * letters.all.size()) >> bits)];
    }
    const auto in = std::to_string(letters.all.size()) + " in " + std::string{letters.name};
    add(out, way + ", modulo " + in, remainders);
    add(out, way + ", scaled to " + in, shares);
  }
}

}  // namespace

Texts seeded_texts(const Value& value) {
  Texts out;
  for (const auto& seed : seeds_of(value)) {
    for (const auto& generator : kGenerators) {
      const auto draws = generator.draw(seed.number);
      if (draws.size() < kDraws) {
        continue;
      }
      const auto way = std::string{generator.name} + ", seeded with " + seed.what;
      add_numbers_of(out, way, draws);
      add_picked(out, way, std::span{draws}.first(std::min(kDraws, value.text.size())), generator.bits);
    }
  }
  return out;
}

}  // namespace assay::probes::uniqueness
