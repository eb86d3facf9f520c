// The step block and who works on what.
#include "step.h"

layout (set = 0, binding = 0, std430) readonly buffer Step { int step[]; };

uint rows_of (uint row_class)
{
  if (row_class == FACET_PUSH_TOKENS)
    return uint (step[FACET_STEP_N]);
  if (row_class == FACET_PUSH_OUTPUTS)
    return uint (step[FACET_STEP_N_OUTPUTS]);
  return row_class;
}

// The token of row @row.
uint token_of (uint row_class, uint row)
{
  return row_class == FACET_PUSH_OUTPUTS ? uint (step[step[FACET_STEP_OUTPUTS_AT] + int (row)]) : row;
}

uint group_number ()
{
  return gl_WorkGroupID.x + gl_WorkGroupID.z * FACET_MAX_GROUPS;
}
