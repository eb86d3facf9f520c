#include "backend/vulkan/loader.h"

#include <dlfcn.h>

#include "backend/vulkan/fault.h"
#include "facet.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

static const char *
result_name (VkResult result)
{
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of host memory";
  case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "out of device memory";
  case VK_ERROR_OUT_OF_POOL_MEMORY: return "out of pool memory";
  case VK_ERROR_FRAGMENTED_POOL: return "fragmented pool";
  case VK_ERROR_DEVICE_LOST: return "device lost";
  case VK_ERROR_MEMORY_MAP_FAILED: return "memory cannot be mapped";
  case VK_ERROR_INITIALIZATION_FAILED: return "initialisation failed";
  case VK_ERROR_INCOMPATIBLE_DRIVER: return "no fitting driver";
  case VK_ERROR_EXTENSION_NOT_PRESENT: return "extension missing";
  case VK_ERROR_LAYER_NOT_PRESENT: return "layer missing";
  case VK_ERROR_FEATURE_NOT_PRESENT: return "feature missing";
  case VK_TIMEOUT: return "timeout";
  default: return "unknown error";
  }
}

gboolean
facet_vk_check (VkResult result, const char *what, GError **error)
{
  gboolean memory = result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY
                    || result == VK_ERROR_OUT_OF_POOL_MEMORY || result == VK_ERROR_FRAGMENTED_POOL;

  if (result == VK_SUCCESS)
    return TRUE;
  g_set_error (error, FACET_ERROR, memory ? FACET_ERROR_NO_MEMORY : FACET_ERROR_DEVICE, "Vulkan: %s: %s (%d)", what,
               result_name (result), result);
  return FALSE;
}

static VkBool32
complain (VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
          const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  g_warning ("Vulkan validation: %s", data->pMessage);
  return VK_FALSE;
}

/* The checks beyond the layer's core ones, by what FACET_VULKAN_VALIDATE says: 1, or gpu for those
 * that are built into the shaders, too. */
static const VkValidationFeatureEnableEXT more_checks[] = {
  VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,
  VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
};

/* How many of them, from the first on, are asked for and there; -1: no checks at all. */
static int
count_checks (PFN_vkGetInstanceProcAddr get)
{
  PFN_vkEnumerateInstanceLayerProperties enumerate = (PFN_vkEnumerateInstanceLayerProperties) get (NULL, "vkEnumerateInstanceLayerProperties");
  const char *wanted = g_getenv ("FACET_VULKAN_VALIDATE");
  g_autofree VkLayerProperties *layers = NULL;
  int checks = g_strcmp0 (wanted, "gpu") == 0 ? 2 : g_strcmp0 (wanted, "1") == 0 ? 1 : -1;
  guint32 n = 0;

  if (checks < 0 || enumerate (&n, NULL) != VK_SUCCESS)
    return -1;
  layers = g_new0 (VkLayerProperties, n + 1);
  enumerate (&n, layers);
  for (guint32 i = 0; i < n; i++)
    if (g_str_equal (layers[i].layerName, VALIDATION_LAYER))
      return checks;
  return -1;
}

static gboolean
create (FacetVkInstance *self, PFN_vkGetInstanceProcAddr get, GError **error)
{
  PFN_vkCreateInstance create_instance = (PFN_vkCreateInstance) get (NULL, "vkCreateInstance");
  int checks = count_checks (get);
  gboolean validate = checks >= 0;
  VkDebugUtilsMessengerCreateInfoEXT messenger = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
    .pfnUserCallback = complain,
  };
  VkValidationFeaturesEXT features = {
    .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
    .pNext = &messenger,
    .enabledValidationFeatureCount = (guint32) MAX (checks, 0),
    .pEnabledValidationFeatures = more_checks,
  };
  VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "facet",
    .apiVersion = VK_API_VERSION_1_1,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pNext = validate ? &features : NULL,
    .pApplicationInfo = &application,
    .enabledLayerCount = validate ? 1 : 0,
    .ppEnabledLayerNames = (const char *const[]) { VALIDATION_LAYER },
    .enabledExtensionCount = validate ? 1 : 0,
    .ppEnabledExtensionNames = (const char *const[]) { VK_EXT_DEBUG_UTILS_EXTENSION_NAME },
  };
  VkResult result;

  /* Loaders of Vulkan 1.0 lack this function. */
  if (create_instance == NULL || get (NULL, "vkEnumerateInstanceVersion") == NULL)
    return facet_vk_check (VK_ERROR_INCOMPATIBLE_DRIVER, "loader", error);
  result = create_instance (&info, NULL, &self->instance);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_DEVICE, FACET_VK_NO_DRIVER);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER || !facet_vk_check (result, "instance", error))
    return FALSE;
#define LOAD(name) self->f.name = (PFN_vk ## name) get (self->instance, "vk" #name);
  FACET_VK_INSTANCE_FUNCTIONS (LOAD)
#undef LOAD
  if (validate) {
    PFN_vkCreateDebugUtilsMessengerEXT create_messenger
      = (PFN_vkCreateDebugUtilsMessengerEXT) get (self->instance, "vkCreateDebugUtilsMessengerEXT");

    return facet_vk_check (create_messenger (self->instance, &messenger, NULL, &self->messenger), "messenger", error);
  }
  return TRUE;
}

gboolean
facet_vk_instance_open (FacetVkInstance *self, GError **error)
{
  PFN_vkGetInstanceProcAddr get = NULL;

  *self = (FacetVkInstance) { 0 };
  self->library = dlopen (facet_vk_fault_loader ("libvulkan.so.1"), RTLD_NOW | RTLD_LOCAL);
  if (self->library != NULL)
    get = (PFN_vkGetInstanceProcAddr) dlsym (self->library, "vkGetInstanceProcAddr");
  if (get != NULL && create (self, get, error))
    return TRUE;
  if (get == NULL) {
    g_info ("Vulkan: %s", dlerror ());
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_DEVICE, FACET_VK_NO_LOADER);
  }
  facet_vk_instance_close (self);
  return FALSE;
}

void
facet_vk_instance_close (FacetVkInstance *self)
{
  if (self->messenger != VK_NULL_HANDLE) {
    PFN_vkGetInstanceProcAddr get = (PFN_vkGetInstanceProcAddr) dlsym (self->library, "vkGetInstanceProcAddr");
    PFN_vkDestroyDebugUtilsMessengerEXT destroy
      = (PFN_vkDestroyDebugUtilsMessengerEXT) get (self->instance, "vkDestroyDebugUtilsMessengerEXT");

    destroy (self->instance, self->messenger, NULL);
  }
  if (self->instance != VK_NULL_HANDLE)
    self->f.DestroyInstance (self->instance, NULL);
  if (self->library != NULL)
    dlclose (self->library);
  *self = (FacetVkInstance) { 0 };
}

void
facet_vk_load_device (FacetVkInstance *self, VkDevice device)
{
#define LOAD(name) self->f.name = (PFN_vk ## name) self->f.GetDeviceProcAddr (device, "vk" #name);
  FACET_VK_DEVICE_FUNCTIONS (LOAD)
#undef LOAD
}
