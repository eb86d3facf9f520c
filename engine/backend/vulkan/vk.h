/* vk.h - an open device and what lies on it
 *
 * Everything here belongs to the engine thread. Work is submitted to one queue
 * and waited for before a call returns, so that whatever a function frees is
 * idle.
 */
#pragma once

#include "backend/vulkan/loader.h"
#include "backend/vulkan/vulkan.h"

#define FACET_VK_BINDINGS 8
#define FACET_VK_PUSH_BYTES 128

typedef struct {
  VkDeviceSize range;       /* bytes that one binding may cover */
  VkDeviceSize allocation;  /* bytes that one allocation may have */
  VkDeviceSize alignment;   /* of a binding's offset */
  guint32      groups_y;    /* work groups along y; x and z have at least 65535 */
  guint32      shared;      /* bytes of shared memory */
} FacetVkLimits;

/* How products are computed, from the simplest to the fastest. */
typedef enum {
  FACET_VK_SCALAR,  /* 32-bit floats */
  FACET_VK_DOT,     /* dot products of 8-bit integers; activations are rounded to them in blocks of 32 */
  FACET_VK_MATRIX,  /* cooperative matrices of 16-bit floats, for many rows; activations and weights are rounded to them */
  FACET_VK_N_TIERS,
} FacetVkTier;

/* What a device offers beyond the minimum. */
typedef struct {
  gboolean dot, dot_is_fast;
  guint32  subgroup;        /* a size that pipelines may demand and whose threads add up; 0: none */
  gboolean slow_shared;     /* shared memory costs more than passing values round a subgroup, which the device can */
  struct {
    guint32 m, n, k;        /* of 16-bit floats, with sums of 32-bit ones; m by k times k by n */
  } matrix;                 /* m is 0: none */
  gboolean matrix_is_fast;
} FacetVkTraits;

/* What weights of a type are used for. */
typedef enum {
  FACET_VK_PRODUCTS,
  FACET_VK_EXPERTS,
  FACET_VK_N_USES,
} FacetVkUse;

/* A choice among the kernels of a tier. */
typedef struct {
  gboolean of[FACET_VK_N_USES][FACET_DTYPE_COUNT];
} FacetVkKernels;

typedef enum {
  FACET_VK_UNTESTED,
  FACET_VK_RIGHT,
  FACET_VK_WRONG,
} FacetVkFinding;

/* What the self-test found. */
typedef struct {
  gboolean       read;    /* what is remembered was read */
  char          *rest;    /* of what all types share: "works" or what disagreed; NULL: untested */
  FacetVkFinding of[FACET_VK_N_TIERS][FACET_VK_N_USES][FACET_DTYPE_COUNT];
} FacetVkVerdict;

/* A buffer with memory of its own. */
typedef struct {
  VkBuffer       buffer;
  VkDeviceMemory memory;
  gsize          size;
  guint8        *mapped;    /* NULL: the host cannot see it */
} FacetVkBuffer;

/* Part of a buffer, as a shader sees it. */
typedef struct {
  VkBuffer     buffer;
  VkDeviceSize offset, size;
} FacetVkRange;

typedef enum {
  FACET_VK_DEVICE,    /* weights, caches, activations */
  FACET_VK_UPLOAD,    /* written by the host, read by the device */
  FACET_VK_READBACK,  /* written by the device, read by the host */
} FacetVkMemory;

/* Rows first .. first + count - 1 of a weight: a matrix larger than a binding
 * may cover is cut into several. */
typedef struct {
  FacetVkRange range;
  guint32      first, count;
} FacetVkPart;

typedef struct {
  FacetVkPart *parts;
  int          n_parts;
  guint32      row_bytes;
} FacetVkWeight;

typedef struct {
  FacetBackend          base;
  FacetVkInstance       instance;
  FacetDeviceInfo      *info;
  VkPhysicalDevice      physical;
  VkDevice              device;
  VkQueue               queue;
  guint32               family;
  VkCommandPool         pool;
  VkFence               fence;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout      layout;
  VkPipelineCache       cache;
  char                 *cache_key;
  gboolean              cache_is_new; /* pipelines were made since it was read or written */
  gboolean              has_budget;   /* VK_EXT_memory_budget */
  gboolean              shares_memory; /* with the processor */
  gsize                 import_alignment; /* of imported pages; 0: none can be */
  gboolean              imports;      /* weights are read in the file's map */
  FacetVkLimits         limits;
  FacetVkTraits         traits;
  FacetVkTier           tiers[FACET_DTYPE_COUNT]; /* of products of many rows with weights of each type */
  FacetVkTier           few_tiers[FACET_DTYPE_COUNT]; /* of few rows, and of experts where MATRIX is not used: never that */
  gboolean              exact;        /* activations stay 32-bit floats */
  FacetVkVerdict        verdict;
  gboolean              takes_untested; /* while the self-test runs, and in tests of kernels */
  GHashTable           *pipelines;    /* key -> VkPipeline */
  GHashTable           *weights;      /* tensor data -> FacetVkWeight */
  GArray               *chunks;       /* FacetVkBuffer that hold them */
  gboolean              hides_memory; /* for tests: as if the host never saw the device's memory */
  gboolean              lost;         /* after an error of the device nothing works */
  double                segment_cost, part_cost; /* operations of a command buffer, and most of a dispatch's part */
  double                seconds_per_cost; /* measured; 0: never yet */
  gint64                driver_us;        /* spent so far in submits and waits */
  guint64               read_bytes;       /* so far, of results that stay on the device */
  guint64               taken;            /* bytes of all buffers */
} FacetVk;

/* ---- devices.c: what there is ---- */

typedef struct {
  VkPhysicalDevice physical;
  FacetDeviceInfo *info;
  guint32          family;
  gboolean         has_budget;
  gsize            import_alignment;
  FacetVkLimits    limits;
  FacetVkTraits    traits;
} FacetVkProbe;

/* Of FacetVkProbe, best first. */
GArray       *facet_vk_probe_all (FacetVkInstance *instance);
/* Device @number of @all; 0: the first graphics processor that fits, never software.
 * DEVICE if there is none or it does not fit. */
FacetVkProbe *facet_vk_pick      (GArray *all, int number, GError **error);

/* ---- tiers.c ---- */

/* @extensions: those of the device. */
FacetVkTraits facet_vk_traits  (const FacetVkFunctions *f, VkPhysicalDevice physical, const VkExtensionProperties *extensions, guint32 n);

/* What a device is opened with; traits that it has are enabled. */
typedef struct {
  VkPhysicalDevice16BitStorageFeatures          storage16; /* the head of the chain */
  VkPhysicalDeviceShaderIntegerDotProductFeatures dot;
  VkPhysicalDeviceSubgroupSizeControlFeatures   subgroup;
  VkPhysicalDeviceShaderFloat16Int8Features     float16;
  VkPhysicalDeviceVulkanMemoryModelFeatures     memory_model; /* which GLSL's cooperative matrices take */
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR  matrix;
  const char                                   *extensions[8];
  guint32                                       n_extensions;
} FacetVkEnabled;

void          facet_vk_enable  (const FacetVkTraits *traits, FacetVkEnabled *enabled);

/* "scalar", "dot", "matrix" */
const char   *facet_vk_tier_name (FacetVkTier tier);
/* Whether the device has it at all. */
gboolean      facet_vk_has_tier  (const FacetVk *vk, FacetVkTier tier);
/* Gives every type of weights the highest tier that it has kernels of and that is
 * at most @most; one below @most only if the device does it well. */
void          facet_vk_set_tiers (FacetVk *vk, FacetVkTier most);
/* The next one below @tier that products with weights of @dtype have. */
FacetVkTier   facet_vk_lower_tier (const FacetVk *vk, FacetVkTier tier, FacetDtype dtype);
/* The highest that this device is used with: what the environment variable
 * FACET_VULKAN_TIER names, if it can at all, else what it does well. */
FacetVkTier   facet_vk_best_tier (const FacetVk *vk);
/* Whether it is that one, or one that the device does well. */
gboolean      facet_vk_may_use_tier (const FacetVk *vk, FacetVkTier tier);

/* ---- memory.c ---- */

gboolean facet_vk_buffer_new  (FacetVk *vk, gsize size, FacetVkMemory kind, FacetVkBuffer *buffer, GError **error);
void     facet_vk_buffer_free (FacetVk *vk, FacetVkBuffer *buffer);
/* Bytes left of the memory that weights and caches go to, as far as the device tells. */
guint64  facet_vk_memory_left (FacetVk *vk);

/* The pages at @at, which must outlive the buffer, as one of the device's. */
gboolean facet_vk_buffer_import (FacetVk *vk, void *at, gsize size, FacetVkBuffer *buffer, GError **error);

/* ---- import.c, upload.c ---- */

/* Gives places in the file's map to those of @weights (FacetVkWeight) for which
 * that can be. */
void     facet_vk_import (FacetVk *vk, GPtrArray *tensors, GPtrArray *weights);
/* Copies each tensor to the place that its weight has. */
gboolean facet_vk_upload (FacetVk *vk, GPtrArray *tensors, GPtrArray *weights, GError **error);

/* ---- weights.c ---- */

/* Brings those of @tensors (FacetTensor) to the device that are not there yet. */
gboolean             facet_vk_weights_require (FacetVk *vk, GPtrArray *tensors, GError **error);
/* Of a tensor that was required. */
const FacetVkWeight *facet_vk_weight          (FacetVk *vk, const FacetTensor *tensor);
/* Has none. */
void                 facet_vk_weights_init    (FacetVk *vk);
/* Lets go of all; no plan may be left. */
void                 facet_vk_weights_drop    (FacetVk *vk);
void                 facet_vk_weights_free    (FacetVk *vk);

/* ---- pipelines.c ---- */

/* The pipeline of shader @name with specialisation constants 0 .. n - 1, made
 * when first asked for; it lives as long as the device. */
gboolean facet_vk_pipeline       (FacetVk *vk, const char *name, const guint32 *constants, int n, VkPipeline *pipeline,
                                  GError **error);
/* Lets go of all; no plan may be left. */
void     facet_vk_pipelines_drop (FacetVk *vk);
void     facet_vk_pipelines_free (FacetVk *vk);

/* ---- pipeline-cache.c ---- */

/* A digest of device, driver and shaders: what files about them are named by. */
char    *facet_vk_cache_key  (const FacetVkFunctions *f, VkPhysicalDevice physical);
/* Such a file's path; its folder is made if need be. */
char    *facet_vk_cache_file (const char *key, const char *suffix);
gboolean facet_vk_cache_open (FacetVk *vk, GError **error);
/* Writes the file if there is anything new. */
void     facet_vk_cache_save (FacetVk *vk);

/* ---- self-test.c ---- */

/* Computes with @kernels of @tier beside the reference; those that disagree are
 * added to @wrong. FALSE: they could not be built or run. */
gboolean facet_vk_test_kernels (FacetVk *vk, FacetVkTier tier, const FacetVkKernels *kernels, FacetVkKernels *wrong, GError **error);
/* The same with what all types of weights share, attention and a small encoder;
 * DEVICE says what disagrees. Both leave tiers that are to be chosen anew. */
gboolean facet_vk_test_rest (FacetVk *vk, GError **error);
/* Its part that encodes; DEVICE if the soft tokens disagree with the reference @cpu. */
gboolean facet_vk_self_test_encode (FacetVk *vk, FacetBackend *cpu, GError **error);

/* ---- verdict.c ---- */

/* What the self-test has said so far of this device, driver and program: "works",
 * "works without" and kernels ("dot of Q4_K, ..."), or what disagreed; NULL: it
 * did not run yet. */
char    *facet_vk_verdict       (const char *cache_key);
void     facet_vk_verdict_clear (FacetVkVerdict *verdict);
/* Tests what @graph (NULL: any model) would use and what no verdict is remembered
 * of, and lets each type of weights have the best tier that is right. DEVICE: none
 * is to be trusted; UNSUPPORTED: none that @graph needs. */
gboolean facet_vk_trust         (FacetVk *vk, const FacetGraph *graph, GError **error);

/* ---- vulkan.c ---- */

/* The parts of compile() that take time, in order. */
typedef enum {
  FACET_VK_UPLOADING,
  FACET_VK_BUILDING,
} FacetVkStage;

/* Tells who waits for compile() how far it is; FALSE and CANCELLED if it is to end. */
gboolean facet_vk_go_on (FacetVk *vk, FacetVkStage stage, guint64 done, guint64 total, GError **error);

/* ---- submit.c ---- */

/* Gives command buffers to the device. The @last ones signal the fence that
 * facet_vk_wait() waits for. After a failure the device is lost and idle. */
gboolean facet_vk_queue  (FacetVk *vk, const VkCommandBuffer *commands, guint32 n, gboolean last, GError **error);
gboolean facet_vk_wait   (FacetVk *vk, GError **error);
/* Both: runs command buffers and waits for them. */
gboolean facet_vk_submit (FacetVk *vk, const VkCommandBuffer *commands, guint32 n, GError **error);
