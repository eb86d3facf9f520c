/* step.h - the step block, which alone changes from step to step
 *
 * Included by C and by the shaders.
 */
#ifndef FACET_STEP_H
#define FACET_STEP_H

/* Row classes as in graph/graph.h; anything else is a number of rows. */
#define FACET_PUSH_TOKENS 0xffffffffu
#define FACET_PUSH_OUTPUTS 0xfffffffeu

/* Work groups are counted along x, and past this many along z. */
#define FACET_MAX_GROUPS 65535u

/* Words of the step block (binding 0); arrays begin at the words *_AT. */
#define FACET_STEP_N 0
#define FACET_STEP_POSITION 1
#define FACET_STEP_N_OUTPUTS 2
#define FACET_STEP_IDS_AT 4
#define FACET_STEP_VISIBLE_AT 5
#define FACET_STEP_OUTPUTS_AT 6
#define FACET_STEP_HEADER 8

#endif
