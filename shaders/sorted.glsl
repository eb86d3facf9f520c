// Which rows of x, w and y a tile of many rows has: those that follow each other,
// or, if SORTED, places of one expert in the order that experts-sort.comp found.
// Include it with p.sorted and p.rows, TILE_ROWS, SORTED and first_m declared.
#include "push-sort.h"

layout (set = 0, binding = 5, std430) readonly buffer Order { uint order[]; };

// The tile's rows are first_row .. rows - 1, its matrix begins at row first_w of w.
uint rows, first_row, first_w = 0;

// Whether the work group has a tile.
bool find_tile ()
{
  uint at = 1 + FACET_SORT_TILE_WORDS * group_number (), expert;

  if (!SORTED) {
    rows = rows_of (p.rows);
    first_row = group_number () * TILE_ROWS;
    return first_row < rows;
  }
  if (group_number () >= order[0])
    return false;
  expert = order[at] - p.sorted.first_expert;
  first_row = order[at + 1];
  rows = order[at + 2];
  first_w = expert * p.sorted.expert_rows;
  return expert < p.sorted.n_experts;
}

// The last row stands for those that the tile lacks.
uint x_row (uint row)
{
  row = min (row, rows - 1);
  return SORTED ? order[p.sorted.places + row] / p.sorted.share : row;
}

uint y_row (uint row)
{
  return SORTED ? order[p.sorted.places + row] : row;
}

// Byte of w where row first_m + @slot of the tile's matrix begins.
uint w_row (uint slot)
{
  return (first_w + min (first_m + slot, p.m - 1)) * p.row_bytes;
}
