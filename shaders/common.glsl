// Included by every shader that glslc compiles.
#extension GL_EXT_control_flow_attributes : require
#include "push.h"
#include "step.glsl"
